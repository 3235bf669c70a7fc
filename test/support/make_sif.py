"""Makes a SIF file. usage: make_sif.py OUT DEFINITION SQUASHFS"""
import struct
import sys

TABLE, DATA, SLOTS = 4096, 32768, 48
DEFINITION, PARTITION = 0x4001, 0x4004
SQUASHFS, PRIMARY_SYSTEM, AMD64 = 1, 2, b"02"


def contents(path):
    with open(path, "rb") as file:
        return file.read()


def make(out, definition, squashfs):
    objects = [(DEFINITION, b"Definition", contents(definition), b""),
               (PARTITION, b"root", contents(squashfs), struct.pack("<ii3s", SQUASHFS, PRIMARY_SYSTEM, AMD64))]
    head = struct.pack("<32s10s3s3s16sqqqqqqqq", b"#!/usr/bin/env run-singularity\n", b"SIF_MAGIC", b"01", AMD64,
                       bytes(range(16)), 1600000000, 1600000000, SLOTS - len(objects), SLOTS, TABLE, SLOTS * 585, DATA, 0)
    image = bytearray(DATA)
    image[:len(head)] = head
    for index, (kind, name, data, extra) in enumerate(objects):
        descriptor = struct.pack("<iBIIIqqqqqqq128s384s", kind, 1, index + 1, 1, 0, len(image), len(data), len(data),
                                 0, 0, 0, 0, name, extra)
        start = TABLE + index * len(descriptor)
        image[start:start + len(descriptor)] = descriptor
        image += data
    with open(out, "wb") as file:
        file.write(image)


make(*sys.argv[1:])
