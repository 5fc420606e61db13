"""Field encryption: rotation, tampering, contexts and look-up hashes."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.storage.encryption import FieldCipher, SealBroken

OLD, NEW, HASH = bytes([1] * 32), bytes([2] * 32), bytes([3] * 32)
CONTEXT = "registration.id_number"

before = FieldCipher({"k1": OLD}, current="k1", hash_key=HASH)
after = FieldCipher({"k2": NEW, "k1": OLD}, current="k2", hash_key=HASH)


@given(st.text(), st.text(max_size=40))
def test_what_is_sealed_opens_again(text: str, context: str) -> None:
    sealed = after.seal(text, context)
    assert after.open(sealed, context) == text


@given(st.binary(max_size=2_000))
def test_bytes_are_sealed_as_they_are(data: bytes) -> None:
    assert after.open_bytes(after.seal_bytes(data, CONTEXT), CONTEXT) == data


def test_equal_values_do_not_look_equal() -> None:
    assert len({after.seal("522101199001011234", CONTEXT) for _ in range(100)}) == 100


def test_after_a_rotation_old_values_open_and_say_that_they_are_old() -> None:
    sealed = before.seal("张三", CONTEXT)
    assert after.open(sealed, CONTEXT) == "张三"
    assert after.needs_resealing(sealed)
    resealed = after.seal(after.open(sealed, CONTEXT), CONTEXT)
    assert not after.needs_resealing(resealed)
    with pytest.raises(SealBroken, match="unknown key"):
        before.open(resealed, CONTEXT)


def test_a_value_moved_to_another_column_does_not_open() -> None:
    sealed = after.seal("张三", CONTEXT)
    with pytest.raises(SealBroken):
        after.open(sealed, "registration.guardian_name")


@given(st.data())
def test_a_changed_value_does_not_open_and_the_error_does_not_tell_it(data: st.DataObject) -> None:
    sealed = bytearray(after.seal("522101199001011234", CONTEXT))
    position = data.draw(st.integers(0, len(sealed) - 1))
    sealed[position] ^= data.draw(st.integers(1, 255))
    with pytest.raises(SealBroken) as broken:
        after.open(bytes(sealed), CONTEXT)
    assert "522101" not in str(broken.value)


@given(st.binary(max_size=60))
def test_what_was_never_sealed_does_not_open(garbage: bytes) -> None:
    for sealed in (garbage, b"k2:" + garbage):
        with pytest.raises(SealBroken):
            after.open_bytes(sealed, CONTEXT)


def test_a_lookup_hash_is_stable_over_rotations_and_different_in_each_context() -> None:
    number = "522101199001011234"
    assert before.lookup_hash(number, CONTEXT) == after.lookup_hash(number, CONTEXT)
    assert after.lookup_hash(number, CONTEXT) != after.lookup_hash(number, "follower.id_number")
    assert after.lookup_hash(number, CONTEXT) != after.lookup_hash("522101199001011242", CONTEXT)
    # Without the key nobody can try all identity numbers.
    other = FieldCipher({"k1": OLD}, current="k1", hash_key=bytes([4] * 32))
    assert other.lookup_hash(number, CONTEXT) != after.lookup_hash(number, CONTEXT)


def key(value: bytes) -> str:
    return base64.b64encode(value).decode()


def test_the_first_key_of_the_setting_is_current() -> None:
    cipher = FieldCipher.from_setting(f"hash={key(HASH)}, k2={key(NEW)}, k1={key(OLD)},")
    assert cipher.open(before.seal("x", CONTEXT), CONTEXT) == "x"
    assert not cipher.needs_resealing(after.seal("x", CONTEXT))
    assert cipher.lookup_hash("x", CONTEXT) == after.lookup_hash("x", CONTEXT)


def test_a_new_setting_is_ready_to_use_and_new_each_time() -> None:
    first, second = FieldCipher.new_setting(), FieldCipher.new_setting()
    assert first != second
    cipher = FieldCipher.from_setting(first)
    assert cipher.open(cipher.seal("x", CONTEXT), CONTEXT) == "x"


def test_key_ids_are_short_words() -> None:
    with pytest.raises(ValueError, match="letters and digits"):
        FieldCipher({"k:1": OLD}, current="k:1", hash_key=HASH)
    with pytest.raises(ValueError, match="not among"):
        FieldCipher({"k1": OLD}, current="k2", hash_key=HASH)


@pytest.mark.parametrize(
    ("setting", "problem"),
    [
        ("", "needs hash"),
        (f"k1={key(OLD)}", "needs hash"),
        (f"hash={key(HASH)}", "at least one encryption key"),
        (f"hash={key(HASH)},k1=c2VjcmV0", "k1.*32 bytes, not 6"),
        (f"hash=c2VjcmV0,k1={key(OLD)}", "hash.*32 bytes"),
        (f"hash={key(HASH)},k1=c2VjcmV0!", "k1.*base64"),
        (f"hash={key(HASH)},k1={key(OLD)},k1={key(NEW)}", "k1.*twice"),
        (f"hash={key(HASH)},k:1={key(OLD)}", "short name"),
        (f"hash={key(HASH)},{key(OLD)}", "short name"),
    ],
)
def test_a_faulty_setting_is_refused_by_the_name_of_the_key_alone(setting: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem) as refused:
        FieldCipher.from_setting(setting)
    for secret in ("c2VjcmV0", key(OLD), key(HASH)):
        assert secret not in str(refused.value)
