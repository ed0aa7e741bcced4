"""The gaps of a Markov chain: runs of masked sites, by their length and the tokens at their ends.

Between a known token a on the left and b on the right, n masked sites 1..n are a bridge:

    p(x_i = u, x_j = w | a, b) = P^i(a, u) P^(j-i)(u, w) P^(n+1-j)(w, b) / P^(n+1)(a, b)

An *open* end has no known token: on the left the gap begins with the sequence, where the marginals
stand for the rows of powers; on the right it ends with the sequence, and nothing is to be met. The
chain is homogeneous, so that gaps of one length and the same ends are alike wherever they lie, a
chain that is not stationary included: gaps that are open on the left all begin at site 0.
"""

from theory._core.arrays import array_namespace, device, is_exact, require_memory
from theory._core.plurals import counted
from theory._core.types import Array
from theory.distributions import MarkovChain
from theory.lattice.lattice import quotient

__all__ = ["Gaps"]


class Gaps:
    """Tables over the gaps of a chain with up to `longest` masked sites.

    An end is a token 0..V-1, or V if it is open. Numbers are those of the chain: floats, or exact
    ones in object arrays.

    Parameters
    ----------
    p : MarkovChain
    longest : int, optional
        The length of the chain if not given.

    Attributes
    ----------
    powers : array, shape (n+2, V, V)
        ``P^k``, k = 0..n+1, with n the longest gap.
    rows : array, shape (n+2, V+1, V)
        ``rows[k, a, u]``: probability of token u at k sites after the left end a; at the k-th site
        of the sequence if a is open. ``rows[0, V]`` is not a distribution: all 0.
    columns : array, shape (n+2, V, V+1)
        ``columns[k, w, b]``: probability of the right end b at k sites after a token w; 1 if b is
        open.

    >>> from theory import gallery
    >>> gaps = Gaps(gallery.binary_symmetric(3, 0.25))
    >>> gaps.rows[2, 0].tolist(), gaps.columns[2, :, 2].tolist()
    ([0.625, 0.375], [1.0, 1.0])
    >>> gaps.evidence(1)[0, 0].item(), gaps.marginals(1)[0, 0, 0].round(12).tolist()
    (0.625, [0.9, 0.1])
    """

    def __init__(self, p: MarkovChain, longest: int | None = None) -> None:
        self.p, self.vocab = p, p.vocab
        self.longest = p.length if longest is None else longest
        require_memory(
            3 * (self.longest + 2) * (self.vocab + 1) ** 2,
            f"the powers of a chain of {counted(self.vocab, 'token')} up to gaps of "
            f"{counted(self.longest, 'site')}",
            p.like,
        )
        xp = array_namespace(p.like)
        self.xp, self.like, self.exact = xp, p.like, is_exact(p.like)
        there = {"dtype": p.like.dtype, "device": device(p.like)}
        power = xp.eye(self.vocab, **there)
        marginal = p.initial[None, :]
        powers, rows = [power], [xp.concat([power, 0 * marginal])]
        for _ in range(self.longest + 1):
            power = xp.matmul(power, p.transition)
            powers.append(power)
            rows.append(xp.concat([power, marginal]))
            marginal = xp.matmul(marginal, p.transition)
        self.powers, self.rows = xp.stack(powers), xp.stack(rows)
        columns = xp.ones((self.longest + 2, self.vocab, 1), **there)
        self.columns = xp.concat([self.powers, columns], axis=2)

    def evidence(self, length: int) -> Array:
        """Probability of the right end given the left one across a gap, (V+1, V+1).

        0 where no sequence has these ends so far apart.
        """
        xp, across = self.xp, self.rows[length + 1, :, :]
        open_right = xp.ones_like(across[:, :1])
        return xp.concat([across, open_right], axis=1)

    def marginals(self, length: int) -> Array:
        """Predictions at the sites of a gap, (V+1, V+1, n, V); 0 between impossible ends."""
        xp = self.xp
        past = xp.permute_dims(self.rows[1 : length + 1, ...], (1, 0, 2))  # (a, i, u)
        future = xp.flip(self.columns[1 : length + 1, ...], axis=0)
        future = xp.permute_dims(future, (2, 0, 1))  # (b, i, u)
        weights = past[:, None, ...] * future[None, ...]
        total = self.evidence(length)[:, :, None, None]
        return xp.where(total > 0, quotient(weights, xp.where(total > 0, total, 1)), 0 * weights)
