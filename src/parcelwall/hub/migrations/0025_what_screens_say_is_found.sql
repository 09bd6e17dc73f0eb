-- What the operator has a screen say besides: few, and asked for with each look at a station's page.
CREATE INDEX entry_screen ON entry (happened_at) WHERE kind = 'ScreenNoted';
