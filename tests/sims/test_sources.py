"""Distributions named on the command line: the same as those built in Python, or an error."""

import os
import pickle

import numpy as np
import pytest

from sims.comparison.sources import from_gallery, from_samples, from_table, from_text
from tests.noted import each
from theory import EmpiricalDistribution, InvalidInput, JointTable, MarkovChain, TooLarge, gallery

# The gallery

LENGTH_ALONE = ("balanced", "common_words", "coupled_pairs", "dyck", "end_of_text", "golden_mean")
LENGTH_ALONE += ("golden_mean_chain", "hidden_periodic", "one_hot", "padded_text", "parity")
LENGTH_ALONE += ("periodic", "permutations", "repeated_bit", "template", "two_classes", "walk")
LENGTH_ALONE += ("words",)
PAIRS = ("coupled_pairs", "dyck")
BY_LENGTH = {name: getattr(gallery, name)(2 if name in PAIRS else 4) for name in LENGTH_ALONE}
BY_CALL = {
    "affine_code(((1, 1, 0), (0, 1, 1)))": gallery.affine_code([[1, 1, 0], [0, 1, 1]]),
    "binary_symmetric(5, 0.1)": gallery.binary_symmetric(5, 0.1),
    "binary_symmetric(length=3, flip=0.5)": gallery.binary_symmetric(3, 0.5),
    "cities()": gallery.cities(),
    "common_shock(4, 0.25, 0.125)": gallery.common_shock(4, 0.25, 0.125),
    "curie_weiss(4, 1.5)": gallery.curie_weiss(4, 1.5),
    "ising_ring(4, beta=0.5)": gallery.ising_ring(4, 0.5),
    "latin_squares(2)": gallery.latin_squares(2),
    "nae_sat(3, [(0, 1, 2)])": gallery.nae_sat(3, [(0, 1, 2)]),
    " parity( 3 ) ": gallery.parity(3),
    "parity(3, exact=True)": gallery.parity(3, exact=True),
    "periodic(3, 2, choices=2)": gallery.periodic(3, 2, 2),
    "repeated_bit(3, noise=0.25)": gallery.repeated_bit(3, 0.25),
    "reed_solomon(4, 2, 3)": gallery.reed_solomon(4, 2, 3),
    "sudoku()": gallery.sudoku(),
}


def assert_same(p, expected):
    assert type(p) is type(expected)
    assert (p.length, p.vocab, p.exact) == (expected.length, expected.vocab, expected.exact)
    assert p.symbols == expected.symbols
    if p.vocab**p.length <= 10**5:
        assert np.array_equal(p.table(), expected.table())
    else:
        assert np.array_equal(p.sequences, expected.sequences)


@each("name", BY_LENGTH)
def test_a_name_with_a_length(name):
    p = from_gallery(name, 4)
    assert p.length == 4
    assert_same(p, BY_LENGTH[name])
    number = p.length // 2 if name in PAIRS else p.length
    assert_same(from_gallery(f"{name}({number})", None), BY_LENGTH[name])


@each("text", BY_CALL)
def test_a_call(text):
    assert_same(from_gallery(text, None), BY_CALL[text])


def test_every_distribution_of_the_gallery_can_be_named():
    named = {text.strip().split("(")[0] for text in BY_CALL}
    assert named | set(BY_LENGTH) == set(gallery.__all__)


def test_a_name_without_parameters():
    assert_same(from_gallery("cities", None), gallery.cities())


@each(
    ("text", "length", "complaint"),
    [
        (
            "nonsense",
            None,
            "there is no distribution of the gallery 'nonsense'; there are affine_code, balanced,",
        ),
        ("", None, "is no distribution of the gallery"),
        ("parity", None, r"parity needs a length: add --length N, or write 'parity\(N\)'"),
        (
            "latin_squares",
            9,
            r"latin_squares needs more than a length: write 'latin_squares\(order\)'",
        ),
        ("parity(3)", 3, "says its length itself: leave out the length 3"),
        ("cities", 2, "cities has a length of its own: leave out the length 2"),
        ("binary_symmetric", 4, r"write 'binary_symmetric\(length, flip\)'"),
        ("binary_symmetric", None, r"write 'binary_symmetric\(length, flip\)'"),
        ("coupled_pairs", 3, "coupled_pairs has an even length, got 3"),
        ("parity()", None, "parity: missing a required argument: 'length'"),
        ("parity(0)", None, "length must be an integer of at least 1, got 0"),
        ("repeated_bit(3, 2)", None, "noise must be .* between 0 and 1, got 2"),
        ("words(40)", None, "no word has 40 letters; the lengths that occur are 1, 2,"),
        ("parity(one_hot(3))", None, "length must be an integer of at least 1, got <JointTable"),
        ("TABLE_CELLS", None, "there is no distribution of the gallery 'TABLE_CELLS'"),
        ("JointTable([1, 2])", None, "there is no distribution of the gallery 'JointTable'"),
    ],
)
def test_names_and_calls_that_do_not_fit(text, length, complaint):
    with pytest.raises(InvalidInput, match=complaint):
        from_gallery(text, length)


def test_what_does_not_fit_into_memory_is_refused_with_its_size():
    with pytest.raises(TooLarge, match="GiB"):
        from_gallery("golden_mean", 60)


# Tables


def saved(path, array, **options):
    np.save(path, array, **options)
    return path


@each("name", [*BY_LENGTH, "cities"])
def test_a_saved_table_is_the_distribution(name, tmp_path):
    p = BY_LENGTH.get(name) or gallery.cities()
    if p.vocab**p.length > 10**5:
        p = gallery.words(2)
    table = np.asarray(p.table())
    read = from_table(saved(tmp_path / "p.npy", table))
    assert isinstance(read, JointTable)
    assert (read.length, read.vocab) == (p.length, p.vocab)
    np.testing.assert_allclose(read.table(), table, rtol=1e-15)


COUNTS = np.asarray([[3, 0], [1, 4]])


@each("dtype", ["int64", "int8", "uint16", ">i4", "float64", "float32", "float16", ">f8"])
@each("order", ["C", "F"])
def test_numbers_of_any_type_and_order(dtype, order, tmp_path):
    read = from_table(saved(tmp_path / "p.npy", COUNTS.astype(dtype, order=order)))
    assert read.table().tolist() == [[0.375, 0], [0.125, 0.5]]


def test_sites_are_the_axes_in_their_order(tmp_path):
    table = np.arange(27.0).reshape(3, 3, 3)
    read = from_table(str(saved(tmp_path / "p.npy", table)))
    assert float(read.evidence([0, 1, 2])) == pytest.approx(5 / table.sum(), rel=1e-15)
    for shape, length, vocab in (((5,), 1, 5), ((1, 1, 1), 3, 1), ((1,), 1, 1)):
        read = from_table(saved(tmp_path / "p.npy", np.ones(shape)))
        assert (read.length, read.vocab) == (length, vocab)


def test_the_table_is_read_and_the_file_let_go(tmp_path):
    path = saved(tmp_path / "p.npy", COUNTS)
    read = from_table(path)
    saved(path, np.zeros((2, 2)))
    assert read.table().tolist() == [[0.375, 0], [0.125, 0.5]]


@each("shape", [(2, 3), (2, 2, 3), (0,), (0, 0), (2, 0), ()])
def test_what_is_no_cube_is_refused_with_its_shape(shape, tmp_path):
    path = saved(tmp_path / "p.npy", np.ones(shape))
    with pytest.raises(InvalidInput) as error:
        from_table(path)
    assert str(shape) in str(error.value)
    assert str(path) in str(error.value)
    assert "(V,)*L" in str(error.value)


@each(
    ("array", "complaint"),
    [
        (np.asarray([[1.0, -2], [3, 4]]), r"must not be negative: entry \(0, 1\) is -2.0"),
        (np.asarray([[1.0, np.nan], [3, 4]]), r"must be finite: entry \(0, 1\) is nan"),
        (np.asarray([[1.0, np.inf], [3, 4]]), r"must be finite: entry \(0, 1\) is inf"),
        (np.zeros((2, 2)), r"\(2, 2\) cannot be normalised: sum 0"),
        (np.ones((2, 2), dtype=complex), "must hold real numbers, got complex128"),
        (np.full((2, 2), "x"), "must hold real numbers, got <U1"),
        (np.zeros((2, 2), dtype="M8[s]"), "must hold real numbers, got datetime64"),
        (np.zeros((2, 2), dtype=[("a", float)]), "must hold real numbers"),
    ],
    ids=["negative", "nan", "inf", "zero", "complex", "text", "dates", "records"],
)
def test_what_are_no_weights_is_refused(array, complaint, tmp_path):
    with pytest.raises(InvalidInput, match=complaint):
        from_table(saved(tmp_path / "p.npy", array))


class Mine:
    """Reading it makes a folder."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


def as_archive(path, array):
    with path.open("wb") as file:
        np.savez(file, table=array)


WRITERS = {
    "objects": lambda path, array: saved(path, array, allow_pickle=True),
    "one object": lambda path, array: saved(path, array[0, 0], allow_pickle=True),
    "archive": as_archive,
    "pickle": lambda path, array: path.write_bytes(pickle.dumps(array.tolist())),
    "old pickle": lambda path, array: path.write_bytes(pickle.dumps(array.tolist(), protocol=0)),
}


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
def test_objects_are_not_unpickled(write, tmp_path):
    path = tmp_path / "p.npy"
    write(path, np.asarray([[Mine(str(tmp_path / "made")), 1], [2, 3]], dtype=object))
    with pytest.raises(InvalidInput, match=r"p\.npy"):
        from_table(path)
    assert os.listdir(tmp_path) == ["p.npy"]


def test_files_that_hold_no_table(tmp_path):
    """A table of numbers as text is the likeliest mistake: it is not said to hold objects."""
    path = saved(tmp_path / "p.npy", np.asarray([[1, 2], [3, None]], dtype=object))
    with pytest.raises(InvalidInput, match="it holds Python objects"):
        from_table(path)
    for content in (b"0.25 0.25\n0.25 0.25\n", b"a,b\n1,2\n", b"\x00\x01\x02"):
        path.write_bytes(content)
        with pytest.raises(InvalidInput, match=r"is no \.npy file") as error:
            from_table(path)
        assert "Python objects" not in str(error.value)
    np.savez(tmp_path / "p.npz", a=COUNTS, b=COUNTS)
    with pytest.raises(InvalidInput, match="holds several arrays"):
        from_table(tmp_path / "p.npz")
    for wrong, message in (("nothing.npy", "there is no file"), ("", "is a folder")):
        with pytest.raises(InvalidInput, match=message):
            from_table(tmp_path / wrong)


@each("kept", [0, 3, 6, 9, 40, 127, 128, 129, 150, 159])
def test_a_file_cut_off_anywhere_is_refused(kept, tmp_path):
    path = saved(tmp_path / "p.npy", COUNTS)
    content = path.read_bytes()
    assert len(content) == 128 + 32
    path.write_bytes(content[:kept])
    with pytest.raises(InvalidInput, match=r"p\.npy is no \.npy file"):
        from_table(path)


def header(path, shape, size=0):
    """A file that says it holds a table of this shape, with so many zero bytes after that."""
    with path.open("wb") as file:
        content = {"descr": "<f8", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, content)
        file.truncate(file.tell() + size)  # takes no room on most disks
    return path


def test_a_table_whose_lattice_would_not_fit_is_refused_before_it_is_read(tmp_path, monkeypatch):
    """The file is there in full and one page of it in memory."""

    def reading(*arguments, **options):
        raise AssertionError("the table was read")

    monkeypatch.setenv("ZEROLOSS_MEMORY", "1000000")
    monkeypatch.setattr("sims.comparison.sources.JointTable", reading)
    path = header(tmp_path / "p.npy", (2,) * 12, 8 * 2**12)
    with pytest.raises(TooLarge, match=r"shape \(2, 2.*1594323|1\.59e\+06 entries.* MiB|bytes"):
        from_table(path)
    with pytest.raises(AssertionError, match="was read"):
        from_table(header(path, (2,) * 8, 8 * 2**8))


@each("shape", [(2,) * 40, (2,) * 64, (2**21,) * 3, (2**40,) * 4, (10**9,) * 2, (10**30,)])
def test_a_header_that_claims_too_much_is_refused_with_its_size(shape, tmp_path):
    """Whether or not the numbers are there."""
    with pytest.raises(TooLarge, match="GiB"):
        from_table(header(tmp_path / "p.npy", shape))


# Samples

STRINGS = ["to be", "or no", "to be"]


@each(
    "content",
    [b"to be\nor no\nto be", b"to be\nor no\nto be\n", b"to be\r\nor no\r\nto be\r\n",
     b"\xef\xbb\xbfto be\nor no\nto be\n"],
)  # fmt: skip
def test_strings_in_a_file_are_what_is_drawn(content, tmp_path):
    (tmp_path / "samples.txt").write_bytes(content)
    p = from_samples(tmp_path / "samples.txt")
    assert isinstance(p, EmpiricalDistribution)
    assert (p.spell(p.sequences), p.symbols) == (STRINGS, tuple(" benort"))


@each("dtype", ["int64", "uint8", ">i4"])
def test_tokens_in_a_file_are_what_is_drawn(dtype, tmp_path):
    tokens = np.asarray([[0, 2], [1, 0], [0, 2]], dtype=dtype)
    p = from_samples(saved(tmp_path / "p.npy", tokens))
    assert (p.sequences.tolist(), p.vocab, p.symbols) == (tokens.tolist(), 3, None)


@each(
    ("content", "complaint"),
    [
        (b"abc\nab\n", "line 2 has 2 characters, line 1 has 3"),
        (b"abc\n\nabd\n", "line 2 is empty"),
        (b"", "line 1 is empty"),
        (b"abc\nabd\n\n", "line 3 is empty"),
        (b"abc\na\xffc\n", "not UTF-8: see byte 2 of line 2"),
        ("abc".encode("utf-16-le"), "line 1 holds a NUL"),
    ],
)
def test_lines_that_do_not_fit_are_named(content, complaint, tmp_path):
    (tmp_path / "samples").write_bytes(content)
    with pytest.raises(InvalidInput, match=complaint) as error:
        from_samples(tmp_path / "samples")
    assert str(tmp_path / "samples") in str(error.value)


@each(
    ("array", "complaint"),
    [
        (np.zeros((2, 2)), r"float64 of shape \(2, 2\); samples are integers"),
        (np.zeros(3, dtype=int), r"shape \(3,\); samples are integers of shape \(N, L\)"),
        (np.zeros((0, 3), dtype=int), r"shape \(0, 3\)"),
        (np.asarray([[0, 1], [-1, 0]]), "row 1 holds -1"),
    ],
)
def test_arrays_that_are_no_samples_are_refused(array, complaint, tmp_path):
    with pytest.raises(InvalidInput, match=complaint):
        from_samples(saved(tmp_path / "p.npy", array))


def test_files_that_hold_no_samples(tmp_path, monkeypatch):
    for wrong, message in (("nothing", "there is no file"), ("", "is a folder")):
        with pytest.raises(InvalidInput, match=message):
            from_samples(tmp_path / wrong)
    (tmp_path / "p.npy").write_bytes(b"abc\n")
    with pytest.raises(InvalidInput, match=r"is no \.npy file"):
        from_samples(tmp_path / "p.npy")
    monkeypatch.setenv("ZEROLOSS_MEMORY", "100")
    (tmp_path / "text").write_bytes(b"abc\n" * 100)
    for path in (tmp_path / "text", saved(tmp_path / "q.npy", np.zeros((50, 9), dtype=int))):
        with pytest.raises(TooLarge, match="samples"):
            from_samples(path)


# Texts

TEXT = "The cat, the dog;\nthe cow.\n\nA cat is no dog: CAT!\n"


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


def test_the_words_of_a_text(text):
    """Of three letters: the 3, cat 3, dog 2, cow 1."""
    p = from_text(text, 3)
    assert (p.length, p.symbols) == (3, tuple("acdeghotw"))
    rows = p.sample(np.random.default_rng(0), 200)
    assert set(p.spell(rows)) == {"the", "cat", "dog", "cow"}
    assert p.symbols is not None
    codes = [[p.symbols.index(letter) for letter in word] for word in ("the", "cat", "dog", "cow")]
    assert np.asarray(p.evidence(codes)) == pytest.approx([3 / 9, 3 / 9, 2 / 9, 1 / 9])


def test_a_text_in_another_language(tmp_path):
    (tmp_path / "text").write_text("Über, ärger «Öl» öd", encoding="utf-8")
    assert from_text(tmp_path / "text", 2).symbols == ("d", "l", "ö")


@each(
    ("content", "length", "complaint"),
    [
        (TEXT.encode(), 9, "no word has 9 letters; the lengths that occur are 1, 2, 3"),
        (TEXT.encode(), None, "add --length N"),
        (b"", 3, "has no words"),
        (b"12 34 -- ...", 2, "has no words"),
        (b"good \xff bad", 3, "is not UTF-8: see the byte at offset 5"),
        ("good".encode("utf-16"), 4, "is not UTF-8: see the byte at offset 0"),
    ],
)
def test_texts_without_such_words_are_refused(content, length, complaint, tmp_path):
    (tmp_path / "text").write_bytes(content)
    with pytest.raises(InvalidInput, match=complaint):
        from_text(tmp_path / "text", length)


def test_a_text_that_is_no_file_is_refused(tmp_path):
    """The length is asked for even if there is no file."""
    for path, length, message in (
        (tmp_path / "nothing", None, "add --length N"),
        (tmp_path / "nothing", 3, "there is no file"),
        (tmp_path, 3, "is a directory"),
    ):
        with pytest.raises(InvalidInput, match=message):
            from_text(path, length)


def test_a_long_chain_is_named_without_being_written_out():
    assert isinstance(from_gallery("binary_symmetric(1000, 0.01)", None), MarkovChain)
