"""What the NLU server does beside Rasa's own API: parses in batches, embeds texts, follows the promoted model."""
