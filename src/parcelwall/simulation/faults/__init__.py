"""The fault simulation of `parcelwall simulate`: real desks, pretend people, and everything that may go wrong."""
