"""The station's computer: desk, visit, keeper (main loop), memory. Works with the hub gone."""
