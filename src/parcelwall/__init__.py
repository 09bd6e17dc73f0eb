"""Parcelwall runs networks of 24/7 smart parcel stations."""

__version__ = "0.1.0"
