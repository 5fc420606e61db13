"""Floor 2: from text to intent. Crisis words, the Rasa client, keywords for when it is away, and the decision."""
