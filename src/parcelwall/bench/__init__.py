"""Measures, each as a ratio to a reference measured in the same run. docs/speed.md says what every figure means."""
