#!/usr/bin/env python3
"""Makes the seeds of tests/fuzz/corpus/ again: tests/fuzz/make_corpus.py. Those of jpeg and video
were made by libjpeg-turbo and libavcodec from formulas, and are kept as they are; those of dicom
whose pixels are packed are made by DCMTK's programs where they lack (and were by OpenJPEG). Files
called found_... are findings, kept so that they are replayed. SPDX-License-Identifier: MIT"""
import gzip
import hashlib
import json
import pathlib
import shutil
import struct
import subprocess
import tempfile
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


DICOM_LONG = ("OB", "OW", "SQ", "UN")


def element(group, number, kind, value):
    if isinstance(value, str):
        value = value.encode()
    elif isinstance(value, int):
        value = struct.pack("<H", value)
    value += b"\0" * (len(value) % 2) if kind in ("UI", "OB") else b" " * (len(value) % 2)
    size = struct.pack("<HI", 0, len(value)) if kind in DICOM_LONG else struct.pack("<H", len(value))
    return struct.pack("<HH", group, number) + kind.encode() + size + value


def dicom(bits=16, stored=None, rgb=False, frames=1, side=8, signed=0, more=b""):
    image = "1.2.840.10008.5.1.4.1.1.2"  # CT
    meta = (element(2, 1, "OB", b"\0\1") + element(2, 2, "UI", image) + element(2, 3, "UI", "1.2.3") +
            element(2, 0x10, "UI", "1.2.840.10008.1.2.1") + element(2, 0x12, "UI", "1.2.4"))
    samples = 3 if rgb else 1
    stored = stored or bits
    head = (element(8, 0x16, "UI", image) + element(8, 0x18, "UI", "1.2.3") + element(8, 0x60, "CS", "CT") +
            element(0x10, 0x10, "PN", "A") + element(0x10, 0x20, "LO", "1") + element(0x20, 0xd, "UI", "1.1") +
            element(0x20, 0xe, "UI", "1.2") + element(0x20, 0x32, "DS", "0\\0\\0") +
            element(0x20, 0x37, "DS", "1\\0\\0\\0\\1\\0") + element(0x28, 2, "US", samples) +
            element(0x28, 4, "CS", "RGB" if rgb else "MONOCHROME2") +
            (element(0x28, 6, "US", 0) if rgb else b"") +
            (element(0x28, 8, "IS", str(frames)) if frames > 1 else b"") +
            element(0x28, 0x10, "US", side) + element(0x28, 0x11, "US", side) +
            element(0x28, 0x30, "DS", "1\\1") + element(0x28, 0x100, "US", bits) +
            element(0x28, 0x101, "US", stored) + element(0x28, 0x102, "US", stored - 1) +
            element(0x28, 0x103, "US", signed) + more)
    pixels = element(0x7fe0, 0x10, "OB" if bits == 8 else "OW", ramp(side * side * frames * samples, bits // 8))
    return b"\0" * 128 + b"DICM" + element(2, 0, "UL", struct.pack("<I", len(meta))) + meta + head + pixels


DICOM_PACKED = {"runs": ["dcmcrle"], "jpeg": ["dcmcjpeg", "+e1"], "lossy": ["dcmcjpeg", "+eb"],
                "extended": ["dcmcjpeg", "+ee"], "jpegls": ["dcmcjpls", "+el"], "implicit": ["dcmconv", "+ti"],
                "big": ["dcmconv", "+tb"], "deflated": ["dcmconv", "+td"], "bare": ["dcmconv", "-F"]}


def make_dicom():
    window = element(0x28, 0x1050, "DS", "40") + element(0x28, 0x1051, "DS", "80")
    plain = {"int16": dicom(signed=1, more=window + element(0x28, 0x1052, "DS", "-1024") +
                            element(0x28, 0x1053, "DS", "2")),
             "bits12": dicom(stored=12), "bits8": dicom(bits=8), "rgb": dicom(bits=8, rgb=True),
             "frames": dicom(bits=8, frames=3)}
    for name, data in plain.items():
        put("dicom", name, data)
    for packing, command in DICOM_PACKED.items():
        for name in ("bits12", "rgb", "frames"):
            if shutil.which(command[0]) is None or (HERE / "corpus/dicom" / (name + "_" + packing)).exists():
                continue
            with tempfile.TemporaryDirectory() as folder:
                out = pathlib.Path(folder) / "out"
                subprocess.run(command + [str(HERE / "corpus/dicom" / name), str(out)], stderr=subprocess.DEVNULL)
                if out.exists():
                    put("dicom", name + "_" + packing, out.read_bytes())
    put("volume_file", "dicom", plain["bits8"])
    put("volume_file", "dicom_bare", (HERE / "corpus/dicom/bits12_bare").read_bytes())


def make_csv():
    put("csv", "plain", b"id,input,note\n1,a.nii.gz,\n2,b c.nii,x\n")
    put("csv", "quoted", b"\xef\xbb\xbf\"id\",\"a \"\"b\"\"\"\r\n\"1\",\"two\r\nlines, here\"\r\n\r\n3,\"\"\r\n")
    put("csv", "one", b"id\n1")
    put("csv", "wide", b",".join(b"c%d" % i for i in range(64)) + b"\n" + b"," * 63 + b"\n")


def make_model_config():
    for name in ("tiny", "official", "referformer", "ablation_topk_531"):
        put("model_config", name, (ROOT / "configs" / (name + ".yaml")).read_bytes())
    put("model_config", "overrides", b"preset: paper\n\0backbone.name=tiny\nprop.topk=5,1\nimage.mean=[0.5, 0.5, 0.5]\n"
        b"infer.threshold=0.25\nfusion.mode=prompt_weighted\n")


def make_target():
    put("target", "lines", b"# the heart\nthe left atrium\n\n  a dark, round cavity \r\n")
    put("target", "map", b"left_kidney: the left kidney\nliver:\n  - the liver\n  - a large organ\n")
    both = (HERE / "corpus/prompts/first").read_bytes()
    put("target", "views", both)
    put("target", "library", both[:both.index(b"      us:\n        datasets")])


def make_tuning():
    rows = b"  1:\n    op: gemm\n    shapes: 64x8 8x8 64x8\n    algorithm: vector\n" \
           b"    parameters: {rows: 8, strips: 8, block: 256}\n    ms: 1.5\n    default_ms: 2\n" \
           b"  2: {op: layernorm, shapes: 64x8 1x8 64x8, algorithm: plain}\n"
    put("tuning", "rows", rows)
    put("tuning", "strange", b"  a: {op: gemv, shapes: 1, algorithm: plain}\n"
        b"  b: {op: gemm, shapes: 2, algorithm: vector, parameters: {rows: 8, strips: -8, blocks: 1}}\n")
    put("tuning", "file", b"format: tpp-tuning-1\ndevice: \"d\"\nplatform: \"p\"\ndriver: \"1\"\ncompute_units: \"1\"\n"
        b"engine: \"0.1.0-00000000\"\nrows:\n" + rows)


def make_golden():
    config = {"backbone": "tiny", "height": "32", "width": "32", "frames": "2", "seed": "6", "hidden": "32",
              "heads": "4", "ffn": "64", "enc_layers": "1", "dec_layers": "1", "points": "4", "levels": "4",
              "queries": "5", "dyn_channels": "8", "mask_dim": "32", "text_layers": "1", "text_hidden": "32",
              "text_heads": "2", "text_ffn": "64", "vocab": "100", "positions": "514", "prompt_lengths": "5,3,4",
              "divide_by_np": "0", "select_level": "3", "mem_source": "prev", "prop_box": "1", "prop_mask": "1",
              "prop_query": "1", "topk": "5,1", "fusion": "prompt_weighted", "query_init": "sentence",
              "target_box": "0.45,0.5,0.4,0.5", "invalid_frame": "-1", "sample": "64"}

    def file(shapes, tensors):
        header, at = {"__metadata__": dict(config, shapes=json.dumps(shapes, separators=(",", ":")))}, 0
        for name, n in tensors.items():
            header[name] = {"dtype": "F64", "shape": [n], "data_offsets": [at, at + 8 * n]}
            at += 8 * n
        text = json.dumps(header, separators=(",", ":")).encode()
        return text + b" " * (-len(text) % 8) + b"\0" + struct.pack("<%dd" % (at // 8), *range(1, at // 8 + 1))

    put("golden", "forward", file({"frame1.best": "1", "frame1.res3": "4x2", "frame2.res3": "4x2"},
                                  {"frame1.best": 1, "frame1.res3": 8, "frame2.res3@sample": 2,
                                   "frame2.res3@stats": 4}))
    put("golden", "text", file({"text.words": "3x2"}, {"text.words": 6}))


def make_report():
    outputs = [{"path": p, "sha256": hashlib.sha256(b"result").hexdigest()} for p in ("a.png", "masks/b.png")]
    put("report", "done", json.dumps({"key": "a" * 64, "outputs": outputs}).encode())
    put("report", "paths", json.dumps({"key": "a" * 64, "outputs": [
        {"path": p, "sha256": ""} for p in ("../beside", "masks/../../beside", "/", "..", "masks/..", "./a.png",
                                            "masks//b.png", "", ".", "report.json")]}).encode())
    put("report", "other", b'{"key": 1, "outputs": {"path": null}}')


for make in (make_nifti, make_nrrd, make_metaimage, make_volume_file, make_safetensors, make_png, make_gzip, make_text,
             make_dicom, make_csv, make_model_config, make_target, make_tuning, make_golden, make_report):
    make()
