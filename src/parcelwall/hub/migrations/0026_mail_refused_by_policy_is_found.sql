-- Mail that a server refuses by its policy stands under Needs you, which is counted on every page of the console.
CREATE INDEX notice_refused_by_policy ON notice (writer, number)
  WHERE state = 'waiting' AND trouble LIKE 'refused_by_policy:%';
