"""The platform's HTTP API under ``/cgi-bin`` and ``/customservice``, one module per subject."""
