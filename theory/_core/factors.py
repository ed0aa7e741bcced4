"""Prime powers of integers, and coprime bases of several, as far as their logarithms need them.

Small primes are found, and what is left of a huge integer is kept whole. A coprime base, which
takes greatest common divisors only, distinguishes such integers.
"""

import math
from collections.abc import Iterable
from functools import lru_cache

__all__ = ["FACTORED", "coprime", "factors"]

TRIAL_LIMIT = 10**5
"""Primes up to this are found; what is left of a huge integer is kept whole."""

FACTORED = TRIAL_LIMIT**2
"""Integers up to this are factored completely."""

SMALL = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31)
"""Primes that are tried without SymPy, which takes half a second to load."""


@lru_cache(maxsize=65536)
def factors(n: int) -> dict[int, int]:
    """Prime powers of `n`; a cofactor without small primes is kept whole.

    >>> factors(360)
    {2: 3, 3: 2, 5: 1}
    """
    powers: dict[int, int] = {}
    if n < 2**63:
        for p in SMALL:
            while n % p == 0:
                n, powers[p] = n // p, powers.get(p, 0) + 1
        if n < SMALL[-1] ** 2:
            return powers if n == 1 else {**powers, n: 1}
    import sympy

    # not factorint with a limit: where n = a b with a near b, it raises on what is left of a or b
    for p in sympy.sieve.primerange(TRIAL_LIMIT):
        if p * p > n:
            break
        while n % p == 0:
            n, powers[p] = n // p, powers.get(p, 0) + 1
    else:
        if power := sympy.perfect_power(n):
            return {**powers, int(power[0]): int(power[1])}
    return powers if n == 1 else {**powers, n: 1}


def coprime(numbers: Iterable[int]) -> list[int]:
    """Pairwise coprime integers above 1 of whose powers all the numbers are products.

    >>> coprime([12, 18])
    [2, 3]
    """
    base: list[int] = []
    waiting = [n for n in numbers if n > 1]
    while waiting:
        n = waiting.pop()
        for i, b in enumerate(base):
            shared = math.gcd(n, b)
            if shared > 1:
                del base[i]
                waiting += [m for m in (shared, n // shared, b // shared) if m > 1]
                break
        else:
            base.append(n)
    return sorted(base)
