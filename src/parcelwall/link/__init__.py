"""The wire between hub and station: ships journal entries both ways and knows nothing of parcels.

Both ends are plain machines: a frame goes in, frames come out. Whoever owns the line (a WebSocket, or a list in a
simulation) pumps. `docs/link.md` has the frames.
"""
