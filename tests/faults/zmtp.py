# SPDX-License-Identifier: Apache-2.0
"""As much of ZMTP 3.0 as it takes to send a process anything at all, for tests of what it makes of that."""
import socket
import struct

MORE, LONG, COMMAND = 1, 2, 4
ANSWER_S = 10.0


class Dealer:
    """A DEALER on an ipc socket; mechanism NULL."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(ANSWER_S)
        self.socket.connect(str(path))
        self.socket.sendall(b"\xff" + bytes(8) + b"\x7f" + b"\x03\x00" + b"NULL".ljust(20, b"\0") + b"\0" + bytes(31))
        self.read(64)
        properties = self.property(b"Socket-Type", b"DEALER") + self.property(b"Identity", b"")
        self.send_frame(b"\x05READY" + properties, COMMAND)
        self.read_frame()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    @staticmethod
    def property(name, value):
        return bytes([len(name)]) + name + struct.pack(">I", len(value)) + value

    def read(self, size):
        got = b""
        while len(got) < size:
            part = self.socket.recv(size - len(got))
            if not part:
                raise ConnectionError("the peer closed the connection")
            got += part
        return got

    def send_frame(self, body, flags=0):
        size = struct.pack(">BQ", flags | LONG, len(body)) if len(body) > 255 else bytes([flags, len(body)])
        self.socket.sendall(size + body)

    def read_frame(self):
        flags = self.read(1)[0]
        size = struct.unpack(">Q", self.read(8))[0] if flags & LONG else self.read(1)[0]
        return flags, self.read(size)

    def send(self, *frames):
        for frame in frames[:-1]:
            self.send_frame(frame, MORE)
        self.send_frame(frames[-1])

    def receive(self):
        frames, flags = [], MORE
        while flags & MORE:
            flags, body = self.read_frame()
            if not flags & COMMAND:
                frames.append(body)
            elif not frames:
                flags = MORE  # A command between messages.
        return frames
