"""The union's assistant on WeChat: gateway, dialogue, records and the processes that run them."""
