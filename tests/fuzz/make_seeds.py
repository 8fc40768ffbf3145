#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the sessions that the fuzzer begins with (corpus/seed-*), one story each; safety_session.h has the format.

  make_seeds.py [FOLDER]
"""
import pathlib
import struct
import sys

REQUEST, INFORMED, TICKS, SILENT, DEAF, STUCK, HOT, UNPOWERED, READING = range(9)
START = [0.0, -0.209, 1.919, 1.4316, 0.0, 0.0]  # About where the arm begins.
NAN, INFINITE, HUGE = float("nan"), float("inf"), 1e308


# Protobuf, by hand.

def varint(value):
    value &= (1 << 64) - 1
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def zigzag(value):
    return varint((value << 1) ^ (value >> 63))


def field(number, kind, content):
    return varint(number << 3 | kind) + content


def message(number, content):
    return field(number, 2, varint(len(content)) + content)


def doubles(number, values):
    return message(number, b"".join(struct.pack("<d", v) for v in values))


def proposal(target, epoch=0, sequence=0, deadline_ns=0, risk=1.0):
    return message(2, message(1, field(1, 0, varint(epoch)) + field(2, 0, varint(sequence)) +
                              field(3, 0, zigzag(deadline_ns)) + doubles(4, target) + field(5, 1, struct.pack("<d", risk))))


def reading(q_rad, sequence=10**6, time_ns=0, powered=True, torque=0.0, temperature=30.0):
    axes = len(q_rad)
    return (field(1, 0, zigzag(time_ns)) + field(2, 0, varint(sequence)) + doubles(3, q_rad) + doubles(4, [0.0] * axes) +
            doubles(5, [torque] * axes) + doubles(6, [0.1] * axes) + doubles(7, [temperature] * axes) +
            field(8, 0, varint(powered)))


def acknowledge(latch_id=0, nonce=0, by_person=True):
    return message(3, field(1, 0, varint(latch_id)) + field(2, 0, varint(nonce)) + field(3, 0, varint(by_person)))


WITHDRAW = message(2, b"")
STOP = message(4, b"")


# Records.

def counted(kind, body):
    return bytes([kind]) + struct.pack("<H", len(body)) + body


def informed(body):
    return counted(INFORMED, body)


def raw(body, protocol=1):
    return counted(REQUEST, field(1, 0, varint(protocol)) + body)


def ticks(count):
    return bytes([TICKS, count - 1])


CLEAR = informed(acknowledge())
ARMED = ticks(24) + CLEAR + ticks(1)


def moved(target, count=25, **how):
    return informed(proposal(target, **how)) + ticks(count)


def step(**by):
    names = {"pan": 0, "lift": 1, "elbow": 2, "wrist": 3, "roll": 4, "jaw": 5}
    target = list(START)
    for name, rad in by.items():
        target[names[name]] += rad
    return target


STORIES = {
    "nothing": b"",
    "ordinary-steps": ARMED + moved(step(pan=0.1)) + moved(step(pan=0.1, lift=0.1)) + moved(step(jaw=0.8)),
    "far-targets": ARMED + moved([1.9, -1.7, 2.5, 2.0, 2.6, 1.1], 50) + moved([-1.9, 1.7, -0.2, -0.8, -2.7, -0.1], 100),
    "beyond-every-range": ARMED + moved([9] * 6, 60) + moved([-9] * 6, 60),
    "huge-targets": ARMED + moved([HUGE] * 6, 30) + moved([-HUGE] * 6, 30) + moved([1e-308] * 6, 30),
    "not-finite": ARMED + moved(step(pan=0.3), 5) + moved([NAN] * 6) + moved([INFINITE] * 6) + moved(step(pan=-INFINITE)),
    "down-onto-the-table": ARMED + moved(step(lift=0.9), 60) + moved(step(lift=1.5, wrist=-0.5), 60),
    "against-the-post": ARMED + moved(step(pan=0.5, lift=0.3), 60) + moved(step(pan=1.0, jaw=1.0), 60),
    "against-the-crate": ARMED + moved(step(pan=-0.8, lift=0.5), 80),
    "folded-onto-itself": ARMED + moved([0, -1.7, 2.6, 2.2, 0, 1.2], 150),
    "several-a-period": ARMED + b"".join(moved(step(pan=0.3 * (-1) ** i, elbow=0.2), 3) for i in range(20)),
    "silence": ARMED + moved(step(pan=0.5), 200) + CLEAR + moved(step(pan=0.2)),
    "deadline-long-gone": ARMED + moved(step(pan=0.2), deadline_ns=-10**9) + moved(step(pan=0.2), deadline_ns=-2**62),
    "deadline-far-away": ARMED + moved(step(pan=0.2), 200, deadline_ns=2**62),
    "stopped-on-the-way": ARMED + moved(step(pan=0.8), 6) + informed(STOP) + moved(step(pan=0.8), 40) + CLEAR + moved(step(pan=0.1)),
    "old-epoch": ARMED + moved(step(pan=0.3), 6) + informed(STOP) + ticks(40) + CLEAR + moved(step(pan=0.5), epoch=-1) + moved(step(pan=0.5), epoch=1),
    "old-sequence": ARMED + moved(step(pan=0.3)) + moved(step(pan=-0.3), sequence=-1) + moved(step(pan=-0.3), sequence=-2),
    "highest-sequence": ARMED + moved(step(pan=0.3), sequence=2**64 - 2) + moved(step(pan=-0.3)),
    "withdrawn": ARMED + moved(step(pan=0.8), 6) + informed(WITHDRAW) + ticks(20) + moved(step(pan=0.8), epoch=-1) + moved(step(pan=0.1)),
    "wrong-sizes": ARMED + moved([0.1] * 5) + moved([0.1] * 7) + moved([0.1] * 9) + moved([]),
    "risk": ARMED + moved(step(pan=0.5), risk=0.1) + moved(step(pan=0.5), risk=9) + moved(step(pan=0.5), risk=0) + moved(step(), risk=NAN),
    "wrong-acknowledgements": ticks(24) + informed(acknowledge(latch_id=1)) + informed(acknowledge(nonce=1)) + raw(acknowledge()) +
                              informed(acknowledge(by_person=False)) + informed(STOP) + informed(acknowledge(by_person=False)) + CLEAR,
    "cleared-while-moving": ARMED + moved(step(pan=1.0), 8) + informed(STOP) + CLEAR + ticks(2) + CLEAR + ticks(40) + CLEAR,
    "silent-driver": ARMED + moved(step(pan=0.5), 6) + bytes([SILENT, 3]) + ticks(10) + bytes([SILENT, 40]) + ticks(5) + CLEAR + moved(step()),
    "deaf-driver": ARMED + moved(step(pan=0.5), 6) + bytes([DEAF, 3]) + ticks(10) + bytes([DEAF, 40]) + ticks(5) + CLEAR + moved(step()),
    "stuck-arm": ARMED + bytes([STUCK]) + moved(step(pan=0.9), 25) + moved(step(pan=0.9), 60) + bytes([STUCK]) + ticks(30) + CLEAR + moved(step()),
    "hot-motors": ARMED + moved(step(pan=0.5), 6) + bytes([HOT]) + ticks(40) + CLEAR + bytes([HOT]) + ticks(5) + moved(step(pan=0.2)),
    "drives-let-go": ARMED + moved(step(pan=0.5), 6) + bytes([UNPOWERED] + [0] * 6) + ticks(40) + CLEAR + moved(step(pan=0.2)),
    "pushed-outside": ARMED + bytes([UNPOWERED, 90, 40, 0, 0, 100, 60]) + ticks(40) + CLEAR + moved([0.0] * 6, 60) + moved(START, 60),
    "pushed-into-the-table": ARMED + bytes([UNPOWERED, 0, 30, 0, 0, 0, 0]) + ticks(40) + CLEAR + moved(step(lift=1.4), 30) + moved(START, 90),
    "readings-from-elsewhere": ARMED + moved(step(pan=0.3), 6) + counted(READING, reading([1.0] * 6)) + ticks(30) + CLEAR + moved(step()),
    "readings-that-are-huge": ARMED + counted(READING, reading([1e300] * 6)) + ticks(30) + CLEAR + moved(step()),
    "readings-without-torque": ARMED + counted(READING, reading([0.5] * 6, powered=False)) + ticks(30) + CLEAR + moved(step()),
    "readings-that-are-none": ARMED + counted(READING, reading([0.5] * 5)) + counted(READING, b"\xff" * 9) +
                              counted(READING, reading(START, torque=1e6)) + counted(READING, reading(START, temperature=NAN)) + ticks(30),
    "readings-repeated": ARMED + moved(step(pan=0.3), 6) + counted(READING, reading(START)) * 8 + ticks(20),
    "readings-of-a-later-time": ARMED + moved(step(pan=0.3), 6) + counted(READING, reading(START, time_ns=3600 * 10**9)) + moved(step(), 30),
    "readings-from-the-end-of-time": ARMED + moved(step(pan=0.3), 6) + counted(READING, reading(START, time_ns=2**63 - 1)) + moved(step(), 30),
    "malformed": ARMED + b"".join(counted(REQUEST, b) for b in [b"", b"\xff", b"\x00" * 20, b"\x08\x01", b"\x08\x02\x22\x00", b"\x12\xff\x01"]) +
                 moved(step(pan=0.1)),
    "another-protocol": raw(STOP, protocol=2) + raw(WITHDRAW, protocol=0) + raw(STOP),
    "many-exchanges": ARMED + (informed(WITHDRAW) + informed(proposal(step(pan=0.1)))) * 20 + ticks(30),
}


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).with_name("corpus")
    folder.mkdir(parents=True, exist_ok=True)
    for i, (name, records) in enumerate(STORIES.items()):
        setting = 1 if "time" in name else i % 4  # Only in lock-step the clock is the arm's.
        (folder / f"seed-{name}").write_bytes(bytes([setting]) + records)


if __name__ == "__main__":
    main()
