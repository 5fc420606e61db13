"""JPEG files as a row of segments: what stands beside the picture is taken out, the picture stays as it is."""

START = b"\xff\xd8"
START_OF_SCAN = 0xDA
JFIF, ADOBE, COMMENT = 0xE0, 0xEE, 0xFE
APPLICATIONS = range(0xE0, 0xF0)


def without_metadata(data: bytes) -> bytes:
    """Return the JPEG without EXIF, XMP, comments and what else programs add.

    JFIF and Adobe's segment stay: the colours depend on them. What is no sound JPEG comes back as far as it was
    understood, without the rest.
    """
    if not data.startswith(START):
        return b""
    kept, at = [START], len(START)
    while at + 4 <= len(data) and data[at] == 0xFF:
        kind = data[at + 1]
        if kind == 0xFF:  # Segments may be filled up in front.
            at += 1
            continue
        if kind == START_OF_SCAN:
            return b"".join((*kept, data[at:]))
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4])
        if kind in (JFIF, ADOBE) or (kind not in APPLICATIONS and kind != COMMENT):
            kept.append(data[at:end])
        at = end
    return b"".join(kept)
