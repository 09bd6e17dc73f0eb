"""The faces: each handler parses, asks the desk, renders. A face decides nothing."""
