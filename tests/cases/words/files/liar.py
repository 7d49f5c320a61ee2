"""Answers whatever it is asked over `ipc://SOCKET` with each TEXT once, and then with the last: `liar.py SOCKET TEXT…`."""
import os
import socket
import struct
import sys
import threading

HELLO = b"\x00SP\x00\x00\x31\x00\x00"  # of REP
TEXTS = sys.argv[2:]
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1] + ".new")
listener.listen()
os.rename(sys.argv[1] + ".new", sys.argv[1])


def take(peer, count):
    got = b""
    while len(got) < count:
        more = peer.recv(count - len(got))
        if not more:
            raise SystemExit
        got += more
    return got


def serve(peer):
    peer.sendall(HELLO)
    take(peer, len(HELLO))
    while True:
        size = struct.unpack(">xQ", take(peer, 9))[0]
        request = take(peer, size)
        reply = request[:4] + (TEXTS.pop(0) if len(TEXTS) > 1 else TEXTS[0]).encode()
        peer.sendall(b"\x01" + struct.pack(">Q", len(reply)) + reply)


while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
