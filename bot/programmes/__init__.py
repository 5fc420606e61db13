"""Floor 3: programmes with windows, rules, sites, slots and posts, as rows that staff edit, every edit a version.

``service.ProgrammeService`` reads and edits the frozen values of ``models``; ``rules`` are pure (window, pre-check,
what must be handed in); ``seed.seed_demo`` stores the demonstration.
"""
