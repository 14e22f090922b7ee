"""Raises something whose every method fails, and whose class claims to be another."""


class Liar(BaseException):
    def __str__(self):
        raise self

    __repr__ = __getattr__ = __eq__ = __bool__ = __reduce__ = __str__

    @property
    def __class__(self):
        return StopIteration


def mutability_increment_count(seed, x, n_calls):
    raise Liar
