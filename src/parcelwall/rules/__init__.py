"""What may happen. Pure: no input, no output, no clock, no chance; the same at the hub, a station and in simulation."""
