"""Floor 3: applications, their review, places and waiting lists.

For conversations: ``service.RegistrationService`` with the values of ``outcomes``.
For staff: ``review.ReviewService`` (decisions) and ``records.RegistrationRecords`` (masked reads).
For the worker: ``RegistrationService.release_expired`` and ``notices.NoticeBook``.
For a follower's rights: ``personal_data.RegistrationData``.
The state machine is the table in ``statuses``; places are given away under ``places.PlaceLock``; every write goes
through ``calls.Calls``, which answers a repeated call with what it answered first.
"""
