"""Floor 3: legal consultation: topics, cases, their deadlines and the lawyers' queue."""
