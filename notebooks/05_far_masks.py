# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Lesson 5. Far masks
#
# *A conjecture, its theorem, and five ways to break it.*
#
# **Learning goals.** After this lesson you can
#
# 1. say what a perfect model predicts far from its prompt, and watch it happen on real prose;
# 2. put a number on "these predictions look alike", and compute it by hand for a chain of bits;
# 3. decide from a drawing of arrows whether the far masks of a chain become alike;
# 4. give a counterexample to a statement that comes without assumptions;
# 5. explain why masks that look alike are not independent.
#
# **Time needed.** 60 minutes: 45 for sections 1 to 5, 15 for the exercises.
#
# **Prerequisites.** Lessons 1 and 2 (conditional marginals), total correlation from lesson 3, and
# what a Markov chain is.
#
# **The picture to keep.** A prompt on the left, and fog to the right of it. Close to the prompt one
# sees words of its own. A few words further on one sees only the language.

# %% [markdown]
# ## 1. Into the fog
#
# A large model gets a prompt and a long row of masks, and says for *each* mask which words it
# expects there. What does it expect at the fiftieth?
#
# We take a model that is perfect. Its data are the words of a real text (the prose of Python's
# documentation) as a chain: the next word depends on the last *two*. For such a chain the
# prediction at any distance is exact, a product of a vector with a matrix, once for each word.
# (Words that are not among the most frequent 254 are taken together as `<unknown>`. When a text
# ends, the next one begins.)
#
# ### Predict
#
# The prompt is "the return value must be". Write down:
#
# 1. How many different words are really in play for the *first* mask? About 5, 50 or 250?
# 2. And for the fifth?
# 3. Somebody else has the prompt "an exception is raised". At which distance do the two of you get
#    nearly the same prediction?

# %% [markdown]
# ### Run
#
# "How many words are in play" has a measure: the *effective vocabulary*, the exponential of the
# entropy. Twenty equally likely words have an effective vocabulary of 20.

# %%
import numpy as np

from theory import WordChain, corpora

english = corpora.english()
chain = WordChain(english, order=2, end="restart")


def in_play(q):
    """The exponential of the entropy of a prediction."""
    q = q[q > 0]
    return float(np.exp(-(q * np.log(q)).sum()))


def likeliest(chain, q, count=4):
    """The likeliest words with their probabilities, as text."""
    best = np.argsort(-q, kind="stable")[:count]
    return ", ".join(f"{chain.vocabulary[k]} {q[k]:.2f}" for k in best)


def look(prompt, distance):
    """What is predicted so many words behind the prompt."""
    q = chain.predict(chain.after(prompt), distance)
    print(f"{distance:3} words on: {in_play(q):5.1f} words in play   {likeliest(chain, q)}")


PROMPT, OTHER = "the return value must be", "an exception is raised"
for prompt in (PROMPT, OTHER):
    print(prompt, "...")
    for distance in (1, 2, 3, 5, 10, 40):
        look(prompt, distance)

# %% [markdown]
# With a slider, where `ipywidgets` is installed. (Without: change the numbers in the next cell.)

# %%
look("this is an object", 3)

# %%
try:
    from ipywidgets import Dropdown, IntSlider, interact
except ImportError:
    print("no slider here: change the numbers in the cell above and run it again")
else:
    prompts = Dropdown(options=[PROMPT, OTHER, "this is an object", "for example"])
    interact(look, prompt=prompts, distance=IntSlider(value=3, min=1, max=40))

# %% [markdown]
# How far apart are two predictions? We use the **total variation**, TV: half the sum of the
# absolute differences. It is the most that the probability of any event can differ. 0 means equal;
# 1 means that they have no word in common.


# %%
def tv(a, b):
    """Total variation between two predictions."""
    return float(abs(a - b).sum()) / 2


def after(prompt, distance, chain=chain):
    """The prediction so many words behind the prompt."""
    return chain.predict(chain.after(prompt), distance)


apart = {n: tv(after(PROMPT, n), after(OTHER, n)) for n in (1, 2, 3, 5, 10, 40)}
for distance, value in apart.items():
    print(f"{distance:3} words on: TV between the two of you {value:.4f}")

assert in_play(after(PROMPT, 1)) < 7 and in_play(after(PROMPT, 5)) > 50
assert apart[1] > 0.85 and apart[5] < 0.1 and apart[10] < 0.01

# %% [markdown]
# ### Explain
#
# Every line is *right*. The model is perfect. At distance 1 it is asked which word follows "must
# be". At distance 10 it is asked which word stands ten places further, whatever stands between:
# it has to average over all that could stand there. Ten words on nearly nothing of the prompt is
# left in that average. What is left is the language.
#
# So a far mask says little, and it says the same to everybody. That is what *Why mask diffusion
# does not work* (arXiv 2510.03289) is said to observe with a large model: function words and the
# end of the text. (Its experiment was not seen by us. This is the exact analogue for a chain of
# real words.)
#
# Two traps are hidden here.
#
# **First trap: frequent words gain.** Do they? Draw a random place of the text, take what stands
# there as the prompt, and look n words further. On average over the prompts, the law of total
# probability gives back the frequencies of the text, at *every* distance.

# %%
words = WordChain(english, order=1, end="restart")  # one word remembered
the = english.vocabulary.index("the")
mean = {n: words.predict(words.anywhere(), n)[the] for n in (1, 2, 5, 20)}
print("'the', on average over prompts:", {n: round(float(v), 4) for n, v in mean.items()})
assert max(mean.values()) - min(mean.values()) < 1e-12

# %% [markdown]
# What grows is something else: *for how many prompts* a frequent word is the likeliest one. Here
# the 20 most frequent words stand for function words; `<unknown>` and the end of the text are left
# out.

# %%
from theory.text.distance import distances

report = distances(english, "object", None)
share = {row.distance: row.frequent_of_words for row in report.influence}
for distance, value in share.items():
    print(f"distance {distance:2}: one of the 20 is the likeliest after {value:.1%} of the prompts")
assert round(share[1], 2) == 0.82 and round(share[2], 3) == 0.993
assert all(round(share[n], 6) == 1 for n in (3, 5, 10, 50))

# %% [markdown]
# (`python -m sims --distance` prints the whole report; `--text FILE` does it for a text of yours.)
#
# **Second trap: far means flat.** Let a text that is over *stay* over: after the end only the end.

# %%
ending = WordChain(english, order=1, end="absorbing")
for distance in (1, 2, 5, 10, 50, 200):
    q = after("object", distance, ending)
    print(f"{distance:3} words on: {in_play(q):5.1f} words in play   {likeliest(ending, q)}")

sure = after("object", 50, ending)
assert ending.vocabulary[int(sure.argmax())] == "<end>" and round(float(sure.max()), 2) == 0.81
assert in_play(after("object", 2, ending)) > 40 > 4 > in_play(sure)

# %% [markdown]
# First the fog gets thicker, then it clears: far away the text is over, almost surely. Same words,
# same model. What far masks look like depends on what the data do at the end of a text.
#
# The picture to keep is the package's own figure: (a) behind the prompt, (b) between a prompt and
# what is known behind the gap, (c) the words in play, (d) what is left of the prompt.

# %%
import matplotlib.pyplot as plt

from figures import FIGURES

plt.style.use("figures.paper")
fading = FIGURES["fading_words"]
picture = fading.draw(fading.compute())

# %% [markdown]
# ## 2. Measure it by hand
#
# Words are many. Take bits. Each bit differs from the one before with probability 1/4. The first
# bit is known, and it is 0.
#
# ### Predict
#
# With paper and pencil:
#
# 1. How likely is a 0 at distance 1, 2, 3?
# 2. What is the TV from each of these predictions to the next one? By which factor does it shrink?
# 3. What is the far limit, and how far is the prediction at distance n from it?

# %% [markdown]
# ### Run
#
# In Fractions, so that your result can be compared with a sign of equality.

# %%
from fractions import Fraction

from theory import MASK, gallery, homogenization

bits = gallery.binary_symmetric(7, Fraction(1, 4), exact=True)
seen = homogenization.measure(bits, [0] + [MASK] * 6)
print("probability of a 0:      ", *seen.predictions[:, 0])
print("TV to the neighbour:", *seen.neighbour_tv[:-1])
print("TV to the limit:    ", *seen.limit_tv)

for n in range(1, 7):
    assert seen.predictions[n - 1, 0] == (1 + Fraction(1, 2**n)) / 2
    assert seen.limit_tv[n - 1] == Fraction(1, 2 ** (n + 1))
    assert n == 6 or seen.neighbour_tv[n - 1] == Fraction(1, 2 ** (n + 2))

# %% [markdown]
# ### Explain
#
# The probability of a 0 is 3/4, then 3/4 · 3/4 + 1/4 · 1/4 = 5/8, then 9/16: always (1 + 2⁻ⁿ)/2.
# Each step halves the distance to 1/2. The factor is 1 − 2 · 1/4, the *second eigenvalue* of the
# transition matrix. The first eigenvalue is 1 and belongs to the limit.
#
# So there are three different things that one may mean by "the far masks are all the same". Keep
# them apart for the rest of the lesson:
#
# - **alike**: the prediction at distance n + 1 is close to the one at distance n (TV to the
#   neighbour);
# - **forgetful**: two different prompts give the same far prediction (TV to one common limit);
# - **flat**: the far prediction is spread over many words (entropy, effective vocabulary).
#
# Here all three hold. In the second trap above, the far masks were alike and forgetful, and not
# flat at all.

# %% [markdown]
# ## 3. The conjecture, and a theorem
#
# This is the conjecture, as it is quoted on a page of open problems. (The paper itself was not
# available to us; the tag in [paper_notes.md](../paper_notes.md) says so.)

# %%
import textwrap

from theory import claims

D6 = claims.registry["D6"]
print(textwrap.fill(D6.says, 96))

# %% [markdown]
# No metric is named, and no assumption on the data. So we choose: total variation, the prompt on
# the left, prompts compared at the same distance. *This reading is ours.* With it, the conjecture
# can be decided for every finite chain.
#
# ### Predict
#
# Four kinds of data. For each one: are far masks alike? Do they forget the prompt?
#
# 1. **flip**: a bit that differs from the last one 1 time in 10.
# 2. **always**: a bit that *always* differs from the last one.
# 3. **two classes**: four tokens, 0 and 1 that follow each other, 2 and 3 that follow each other,
#    no way from one pair to the other.
# 4. **almost always**: a bit that differs from the last one 999 times in 1000.
#
# A hint: draw the tokens as dots and every *possible* step as an arrow.

# %% [markdown]
# ### Run

# %%
from theory import MarkovChain

rarely = Fraction(1, 1000)
four = {
    "flip": gallery.binary_symmetric(9, Fraction(1, 10), exact=True),
    "always": gallery.periodic(9, exact=True),
    "two classes": gallery.two_classes(9, exact=True),
    "almost always": gallery.binary_symmetric(9, 1 - rarely, exact=True),
}
decided = {name: homogenization.decide(p) for name, p in four.items()}
for name, found in decided.items():
    print(f"{name}: alike {found.homogenizes}, forgetful {found.forgets}, rate {found.rate}")
    print(textwrap.fill(found.reason, 90, initial_indent="    ", subsequent_indent="    "))

verdicts = {name: (found.homogenizes, found.forgets) for name, found in decided.items()}
assert verdicts["flip"] == verdicts["almost always"] == (True, True)
assert verdicts["always"] == (False, False)
assert verdicts["two classes"] == (True, False)

# %% [markdown]
# A slider for the probability to flip, and a plain cell that does the same. Go through 0, 1/2 and
# 1.


# %%
def decide(percent):
    """What becomes of far masks if a bit flips so many times in a hundred."""
    p = gallery.binary_symmetric(9, Fraction(percent, 100), exact=True)
    found = homogenization.decide(p)
    print(f"{percent} %: alike {found.homogenizes}, forgetful {found.forgets}, rate {found.rate}")


for percent in (0, 1, 25, 50, 75, 99, 100):
    decide(percent)

# %%
try:
    from ipywidgets import IntSlider, interact
except ImportError:
    print("no slider here: change the numbers in the cell above and run it again")
else:
    interact(decide, percent=IntSlider(value=10, min=0, max=100))

# %% [markdown]
# ### Explain
#
# Only the arrows matter, not the numbers on them (claim [D1](../paper_notes.md#the-claims)):
#
# - a set of tokens that is never left is a *recurrent class*. Far masks are **alike** if and only
#   if no class that can be reached has a *period*: the lengths of its round trips have no common
#   divisor but 1;
# - they **forget** if and only if, moreover, there is just *one* such class.
#
# The numbers decide how fast: the rate is the second eigenvalue (claim
# [D2](../paper_notes.md#the-claims)). And fast matters. "Almost always" obeys the theorem, since a
# bit may repeat. But its rate is 0.998. Look at distance 100:

# %%
slow = gallery.binary_symmetric(102, 0.999)
hundred = float(homogenization.measure(slow, [0] + [MASK] * 101).neighbour_tv[99])
print(f"TV between the predictions at distances 100 and 101: {hundred:.3f}")
assert decided["almost always"].rate == Fraction(998, 1000) and hundred > 0.8

# %% [markdown]
# A limit is a statement about distances that may be longer than your text. The next figure shows
# rates: (a) after one token, (b) in the middle between two tokens, (c) for English words. Marks are
# measured, lines come from the eigenvalues.

# %%
rates = FIGURES["conjecture_rate"]
picture = rates.draw(rates.compute())

# %% [markdown]
# ## 4. Five ways to break it
#
# A statement without assumptions is refuted by *one* example. Here are five kinds of data. Each
# breaks another part of "far masks become alike, flat and forgetful".
#
# ### Predict
#
# Make a table with five rows and three columns (alike, flat, forgetful), and put yes or no in each.
#
# 1. **A period.** Two kinds of tokens in turn, such as consonant and vowel.
# 2. **An end of text.** Four words, fair; the text ends one time in eight, and stays ended.
# 3. **A global latent.** The first token decides which of two languages the text is in.
# 4. **A template.** Every place has its own habits, like the fields of a form. No place depends on
#    another one.
# 5. **Exchangeable data.** Only the *number* of ones counts, not where they are.

# %% [markdown]
# ### Run

# %%
N = 26
five = {
    "period": gallery.periodic(N, 2, 2),
    "end of text": gallery.end_of_text(N, 0.125, 4),
    "global latent": gallery.two_classes(N, 0.125),
    "template": gallery.template(N, 2, 0.125),
    "exchangeable": gallery.curie_weiss(N, 1.25),
}
far = {name: homogenization.average(p, [0]) for name, p in five.items()}
print(f"{'':14} TV to the neighbour   top mass          information, nats")
print(f"{'':14} near       far        near    far       near    far")
for name, m in far.items():
    near, away = 0, 23  # distances 1 and 24
    values = [(v[near], v[away]) for v in (m.neighbour_tv, m.top_mass[:, 0], m.information)]
    print(f"{name:14}", "    ".join(f"{a:6.3f}  {b:6.3f}" for a, b in values))

# %%
breaking = FIGURES["five_counterexamples"]
picture = breaking.draw(breaking.compute())

# %% [markdown]
# ### Explain
#
# 1. *Period*: neighbours have no token in common, for ever. Not alike.
# 2. *End of text*: alike and forgetful, but certain. Not flat.
# 3. *Global latent*: alike, and ln 2 nats of the prompt are never lost: the language. Not
#    forgetful.
# 4. *Template*: the prompt says nothing from the start, and neighbours still differ. Not alike.
# 5. *Exchangeable*: alike at every distance, *next to the prompt, too*. So distance is not the
#    cause. And what the prompt tells, it tells every mask: not forgetful.
#
# As a table:
#
# |               | alike         | flat | forgetful |
# |---------------|---------------|------|-----------|
# | period        | **no**        | yes  | **no**    |
# | end of text   | yes           | **no** | yes     |
# | global latent | yes           | yes  | **no**    |
# | template      | **no**        | no   | yes       |
# | exchangeable  | yes, at once  | yes  | **no**    |
#
# ("Flat" is in the eye of the beholder: here, that no token gets more than 3/4.) Each cell is about
# a number, so let it be checked.

# %%
flat = {name: bool(m.top_mass[23, 0] <= 0.75) for name, m in far.items()}
assert flat == {name: name not in ("end of text", "template") for name in five}
assert np.allclose(far["period"].neighbour_tv[:24], 1)
assert np.allclose(far["period"].information, np.log(2))  # whose turn it is
assert np.allclose(far["end of text"].information, 0)
assert np.allclose(far["end of text"].top_mass[6:, 0], 1 - 0.875 ** np.arange(7, N))
assert abs(far["global latent"].information[23] - np.log(2)) < 1e-6
assert np.allclose(far["template"].information, 0) and far["template"].neighbour_tv[23] == 0.75
assert np.allclose(far["exchangeable"].neighbour_tv[:24], 0)
assert far["exchangeable"].information.min() > 0.08
print("verdict of the claim:", D6.verdict)

# %% [markdown]
# "Refuted as stated" is not the end. The last panel of the figure shows a chain for which
# everything comes true. The theorem of section 3 says for which chains: those with one class and no
# period. A refuted sentence has become a true one, by an assumption that can be read.
#
# One more surprise. "With a fixed given length, in the middle parts" the conjecture says. Take a
# token that mostly stays (0.9), and now and then leaves, for good, for ten others that are equally
# likely from then on. After the prompt all is well: one class, no period, and a flat limit. Now let
# the *last* token be known, too:

# %%
sticky = MarkovChain([1] + [0] * 10, [[0.9] + [0.01] * 10] + [[0] + [0.1] * 10] * 10, 41)
print("prompt only:", homogenization.decide(sticky))
print("both ends:  ", homogenization.decide_middle(sticky))
middle = sticky.denoise([0] + [MASK] * 39 + [0])[20]
print("in the middle between two sticky tokens:", middle[:3], "...")
assert homogenization.decide(sticky).forgets and not homogenization.decide_middle(sticky).forgets
assert middle[0] == 1

# %% [markdown]
# Who has left cannot come back. So between two sticky tokens nothing else is possible, however far
# the ends are. For the middle it takes more: all tokens must lead to each other (claims
# [D3](../paper_notes.md#the-claims) and [D6](../paper_notes.md#the-claims)).

# %% [markdown]
# ## 5. Alike is not independent
#
# ### Predict
#
# A chain of bits, flip 1/10, the first one known. The masks at distances 50 and 51 both have the
# prediction (1/2, 1/2). They are as alike as can be, and neither knows anything of the prompt.
#
# 1. You fill in both in one round. What does it cost: nothing, half a bit, one bit?
# 2. You fill in four masks at once, all far away. Is it better to take neighbours, or masks far
#    from each other? Does it matter?

# %% [markdown]
# ### Run
#
# What a round costs is the total correlation of the masks that it fills in, given what is known
# (lesson 3).

# %%
from math import isclose, log2

from theory import information

flip = 0.1
p = gallery.binary_symmetric(120, flip)
x = [0] + [MASK] * 119
print("predictions:", p.denoise(x)[50].round(4), p.denoise(x)[51].round(4))

pair = float(information.total_correlation(p, (50, 51), given=x, base=2))
print(f"both at once cost {pair:.3f} bits")
for gap in (1, 2, 4, 8, 16):
    sites = range(50, 50 + 4 * gap, gap)
    cost = float(information.total_correlation(p, sites, given=x, base=2))
    print(f"four at once, {gap:2} apart: {cost:.4f} bits")

assert isclose(pair, 1 + flip * log2(flip) + (1 - flip) * log2(1 - flip))  # 1 - h(0.1)
assert np.allclose(p.denoise(x)[50:52], 0.5, atol=1e-4)
assert round(pair, 2) == 0.53 and cost < 0.005

# %%
alike = FIGURES["alike_not_independent"]
numbers = alike.compute()
picture = alike.draw(numbers)
halving = [row for row in zip(*numbers["rounds"].values(), strict=True) if "halving" in row[0]]
print(halving[-1])
assert halving[-1][1:] == (7, 0)

# %% [markdown]
# ### Explain
#
# Alike is about *one* mask and the prompt. Independent is about *two* masks and each other. Far
# from the prompt, two neighbours still agree nine times in ten. They have forgotten the prompt and
# not each other (claim [D7](../paper_notes.md#the-claims)).
#
# So "far masks are hopeless, they all look the same" is wrong, and "far masks are safe, they do not
# depend on anything" is wrong, too. Masks far from *each other* may be filled in at once, nearly
# for free: (d) in the figure writes 64 bits without loss in 7 rounds. Neighbours may not.

# %% [markdown]
# ## Exercise
#
# 1. *By hand.* Three tokens in a circle: 0 → 1 → 2 → 0, nothing else is possible. Far masks are
#    never alike. Add *one* arrow so that they become alike. Which arrows do it?
# 2. *By hand, then check.* What is the smallest number of tokens of a chain whose far masks are
#    alike and never forget?
# 3. *Real prose.* Take each of the 254 words in turn as a prompt of one word. Which one is most
#    influential at distance 5? Use `words` from above and the divergence of the prediction from the
#    one that knows no prompt.
# 4. *Prove it.* For every stationary chain: on average over the last known token, the probability
#    of the likeliest word never grows with the distance. (Hint: the prediction one step further is
#    an average of predictions. What does the maximum do with an average?) Then find a chain and
#    *one* token after which it does grow.

# %%
# your turn

# %% [markdown]
# ## Solution
#
# Open the cells below when you have tried.


# %% tags=["solution"]
# Solution 1
# Every arrow that is not there yet: the round trips then have lengths 3 and 1, or 3 and 2.
def with_arrows(arrows):
    """A chain in which all arrows from a token are equally likely."""
    leaving = [sum(a == i for a, _ in arrows) for i in range(3)]
    steps = [[Fraction((i, j) in arrows, leaving[i]) for j in range(3)] for i in range(3)]
    return MarkovChain([1, 0, 0], steps, 5, exact=True)


circle = {(0, 1), (1, 2), (2, 0)}
assert not homogenization.decide(with_arrows(circle)).homogenizes
for extra in sorted({(i, j) for i in range(3) for j in range(3)} - circle):
    found = homogenization.decide(with_arrows(circle | {extra}))
    print("1. with", extra, "added:", found.homogenizes, "rate", found.rate)
    assert found.homogenizes and found.forgets

# %% tags=["solution"]
# Solution 2
# Two: each token is followed by itself. With one token there is nothing to remember.
half = Fraction(1, 2)
forever = MarkovChain([half, half], [[1, 0], [0, 1]], 5, exact=True)
found = homogenization.decide(forever)
print("2.", found.reason)
assert found.homogenizes and not found.forgets


# %% tags=["solution"]
# Solution 3
# Distance 5, one word remembered.
def left_of(word, distance=5):
    """What a word still tells at a distance, in nats."""
    told = words.predict(words.after(word), distance)
    known = words.predict(words.anywhere(), distance)
    seen = told > 0
    return float((told[seen] * np.log(told[seen] / known[seen])).sum())


by_influence = sorted((left_of(word), word) for word in english.vocabulary[:-2])
print("3. most influential: ", [(word, round(value, 5)) for value, word in by_influence[:-4:-1]])
print("   least influential:", [(word, round(value, 7)) for value, word in by_influence[:3]])
assert by_influence[-1][1] == "built"  # "built-in" is two words here
assert by_influence[-1][0] < 0.005

# %% [markdown] tags=["solution"]
# **Solution 4**
#
# Let the last known token be one place further away. The prediction is then the mean of the
# predictions that know one token more, weighted by how likely that token is. The maximum of a
# mean is at most the mean of the maxima. Averaged over everything, and because the chain is
# stationary, this compares distance n + 1 with distance n (claim
# [D5](../paper_notes.md#the-claims)).
#
# For one token it may grow: a is followed by b or c, each half of the time, and both of these by
# e. The top mass is 1/2 at distance 1, and 1 at distance 2.

# %% tags=["solution"]
# Solution 4
diamond = MarkovChain(
    [1, 0, 0, 0], [[0, half, half, 0], [0, 0, 0, 1], [0, 0, 0, 1], [1, 0, 0, 0]], 3, exact=True
)
tops = homogenization.measure(diamond, [0, MASK, MASK]).top_mass[:, 0].tolist()
print("4. top mass after a:", *tops)
assert tops == [half, 1]
