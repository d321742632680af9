#!/usr/bin/env python3
"""Makes the seeds of tests/fuzz/corpus/ again: tests/fuzz/make_corpus.py. Files there with other
names are findings, kept so that they are replayed. SPDX-License-Identifier: MIT"""
import gzip
import json
import pathlib
import struct
import zlib

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent


def put(parser, name, data):
    folder = HERE / "corpus" / parser
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


def packed(data):
    return gzip.compress(data, mtime=0)


def ramp(n, size=1, order="little"):
    return b"".join((i % 100).to_bytes(size, order) for i in range(n))


def nifti(version=1, order="<", datatype=4, bits=16, dim=(3, 4, 3, 2, 1, 1, 1, 1), slope=0.5, qform=0):
    small = version == 1
    h = bytearray(352 if small else 544)
    real, whole = ("f", "h") if small else ("d", "q")

    def p(at, kind, *v):
        struct.pack_into(order + str(len(v)) + kind, h, at, *v)

    p(0, "i", 348 if small else 540)
    p(70 if small else 12, "h", datatype, bits)
    p(40 if small else 16, whole, *dim)
    p(76 if small else 104, real, 1, 2, 3, 5, 1, 1, 1, 1)
    p(108 if small else 168, "f" if small else "q", len(h))
    p(112 if small else 176, real, slope, 1)
    p(252 if small else 344, "h" if small else "i", qform, 1)
    p(280 if small else 400, real, 2, 0, 0, -10, 0, 3, 0, 20, 0, 0, 5, 30)
    h[123 if small else 500] = 2
    magic = b"n+1\0" if small else b"n+2\0\r\n\x1a\n"
    at = 344 if small else 4
    h[at:at + len(magic)] = magic
    n = 1
    for d in dim[1:1 + dim[0]]:
        n *= d
    return bytes(h) + ramp(n, bits // 8, "little" if order == "<" else "big")


def make_nifti():
    put("nifti", "int16", nifti())
    put("nifti", "big_float", nifti(order=">", datatype=16, bits=32, qform=1))
    put("nifti", "two", nifti(version=2, datatype=64, bits=64))
    put("nifti", "colour", nifti(datatype=128, bits=24))
    put("nifti", "clip", nifti(datatype=2, bits=8, dim=(4, 4, 3, 1, 5, 1, 1, 1)))
    put("nifti", "time", nifti(datatype=2, bits=8, dim=(4, 4, 3, 2, 2, 1, 1, 1)))
    put("nifti", "gzip", packed(nifti()))


NRRD = "NRRD0004\n# a comment\ntype: %s\ndimension: 3\nspace: left-posterior-superior\nsizes: 4 3 2\n" \
       "space directions: (2,0,0) (0,3,0) (0,0.5,5)\nkinds: domain domain domain\nendian: %s\n" \
       "encoding: %s\nspace origin: (1,2,3)\nkey:=a value\n\n"


def make_nrrd():
    put("nrrd", "raw", (NRRD % ("short", "little", "raw")).encode() + ramp(24, 2))
    put("nrrd", "gzip", (NRRD % ("float", "big", "gzip")).encode() + packed(ramp(24, 4)))
    put("nrrd", "text", (NRRD % ("uchar", "big", "ascii")).encode() + b" ".join(b"%d" % i for i in range(24)) + b"\n")
    put("nrrd", "plus", b"NRRD0004\ntype: uint8\ndimension: 4\nsizes: 3 4 3 2\nspace dimension: 2\n"
        b"kinds: vector domain domain list\nspace directions: none (1,0) (0,1) none\nspace origin: (0,0)\n"
        b"encoding: raw\nultrasound image orientation:=UN\nSeq_Frame0000_Status:=OK\n\n" + ramp(72))
    put("nrrd", "time", b"NRRD0001\ntype: ushort\ndimension: 4\nsizes: 2 4 3 2\nkinds: list domain space domain\n"
        b"spacings: nan 1 2 3\nunits: \"s\" \"cm\" \"mm\" \"mm\"\nlabels: \"t\" \"x\" \"y\" \"z\"\nline skip: 1\n"
        b"byte skip: -1\nendian: little\nencoding: raw\n\nskipped\n" + ramp(48, 2))
    put("nrrd", "detached", b"NRRD0005\ntype: double\ndimension: 2\nsizes: 4 3\nendian: little\nencoding: raw\n"
        b"data file: a/b.raw\n")


META = "ObjectType = Image\nNDims = %d\nBinaryData = True\nBinaryDataByteOrderMSB = %s\nCompressedData = %s\n" \
       "TransformMatrix = %s\nOffset = %s\nElementSpacing = %s\nDimSize = %s\nElementType = %s\n%s" \
       "ElementDataFile = LOCAL\n"


def make_metaimage():
    eye = "1 0 0 0 1 0 0 0 1"
    put("metaimage", "raw", (META % (3, "False", "False", eye, "1 2 3", "2 3 5", "4 3 2", "MET_SHORT",
                                     "HeaderSize = -1\n")).encode() + ramp(24, 2))
    put("metaimage", "zlib", (META % (3, "True", "True", eye, "1 2 3", "2 3 5", "4 3 2", "MET_FLOAT",
                                      "Modality = MET_MOD_CT\n")).encode() + zlib.compress(ramp(24, 4)))
    put("metaimage", "plus", (META % (3, "False", "False", eye, "0 0 0", "1 1 1", "4 3 2", "MET_UCHAR",
                                      "Kinds = domain domain list\nUltrasoundImageOrientation = MF\n"
                                      "Seq_Frame0000_Timestamp = 1.0\nElementNumberOfChannels = 3\n"
                                      )).encode() + ramp(72))
    put("metaimage", "time", (META % (4, "False", "False", "1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1", "0 0 0 0",
                                      "1 1 1 1", "4 3 2 2", "MET_USHORT", "")).encode() + ramp(48, 2))
    put("metaimage", "flat", b"NDims = 2\nDimSize = 4 3\nBinaryData = False\nElementType = MET_INT\n"
        b"AnatomicalOrientation = RA\nElementToIntensityFunctionSlope = 2\nElementDataFile = LOCAL\n"
        b"0 1 2 3 4 5 6 7 8 9 10 11\n")
    put("metaimage", "outside", b"NDims = 2\nDimSize = 4 3\nElementType = MET_INT\nElementDataFile = ../x\n")


def make_volume_file():
    put("volume_file", "nifti", packed(nifti()))
    put("volume_file", "nrrd", (NRRD % ("short", "little", "raw")).encode() + ramp(24, 2))
    put("volume_file", "metaimage", b" ObjectType = Image\nNDims = 2\nDimSize = 1 1\nElementType = MET_CHAR\n"
        b"ElementDataFile = LOCAL\n7")


def make_safetensors():
    def file(header, data):
        text = json.dumps(header, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 8)
        return struct.pack("<Q", len(text)) + text + data

    put("safetensors", "two", file({"__metadata__": {"a": "b"},
                                    "x": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
                                    "y": {"dtype": "BF16", "shape": [], "data_offsets": [24, 26]}}, ramp(26)))
    put("safetensors", "types", file({t: {"dtype": t, "shape": [1], "data_offsets": [8 * i, 8 * i + 8]}
                                      for i, t in enumerate(["F64", "I64", "U64"])}, ramp(24)))
    put("safetensors", "none", file({}, b""))


def make_png():
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    def png(bits, colour, rows, *more):
        return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 2, bits, colour, 0, 0, 0)) +
                b"".join(more) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))

    put("png", "grey", png(8, 0, b"\0" + ramp(4) + b"\2" + ramp(4)))
    put("png", "rgb", png(8, 2, b"\1" + ramp(12) + b"\4" + ramp(12)))
    put("png", "rgba", png(8, 6, b"\0" + ramp(16) + b"\3" + ramp(16)))
    put("png", "palette", png(2, 3, b"\0\x1b\0\xe4", chunk(b"PLTE", ramp(12)), chunk(b"tRNS", b"\0\x80")))
    put("png", "deep", png(16, 0, b"\0" + ramp(8) + b"\0" + ramp(8)))


def make_gzip():
    put("gzip", "plain", b"\0plain bytes")
    put("gzip", "gzip", b"\1" + packed(ramp(500)))
    put("gzip", "zlib", b"\1" + zlib.compress(ramp(500)))
    put("gzip", "two", b"\1" + packed(b"one") + packed(b"two"))
    put("gzip", "offset", b"\7abc" + packed(b"behind three bytes"))


def make_text():
    vocab = json.loads((ROOT / "weights/vocab/vocab.json").read_text(encoding="utf-8"))
    few = {t: i for t, i in vocab.items() if i < 270}
    merges = (ROOT / "weights/vocab/merges.txt").read_text(encoding="utf-8").split("\n")[:11]
    put("vocab", "few", json.dumps(few, ensure_ascii=False, separators=(",", ":")).encode() + b"\0" +
        "\n".join(merges).encode() + b"\n")
    put("vocab", "no_merges", json.dumps(few).encode())
    put("bpe", "sentence", b"The left atrium: a dark, round cavity (3 cm) isn't it?")
    put("bpe", "letters", "Größe  naïve 心臓 🫀 \u00a0\u2028x\r\n\t".encode())
    put("bpe", "bytes", bytes(range(256)))
    put("bpe", "special", b"<s> </s> <pad> <unk> <mask>")
    put("yaml", "nested", b"a:\n  b: 1\n  c: [1, 2, \"x\"]\nd: 'text' # comment\ne:\n  - 1\n  - two\n")
    put("yaml", "alias", b"a: &x {b: 1}\nc: *x\n--- \nd: !!str 1\n")
    put("yaml", "block", b"a: |\n  lines\n  of text\n\"b\": >-\n  folded\n  text\n")
    lines = (ROOT / "configs/prompts.yaml").read_text(encoding="utf-8").split("\n")
    first = next(i for i, l in enumerate(lines) if l.startswith("schema"))
    end = [i for i in range(first, len(lines)) if lines[i] == "" and i > lines.index("structures:") + 1][0]
    put("prompts", "first", "\n".join(lines[first:end]).encode() + b"\n")


for make in (make_nifti, make_nrrd, make_metaimage, make_volume_file, make_safetensors, make_png, make_gzip, make_text):
    make()
