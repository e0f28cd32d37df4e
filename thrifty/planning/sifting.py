"""The few steps that matter, out of thousands of which a plan has room for six.

What a relaxation takes hardly depends on steps that are far from being taken. So prices are first
found for a promising part, where they cost next to nothing, and the whole problem is then bounded
at them: "sifting" (R. E. Bixby, J. W. Gregory, I. J. Lustig, R. E. Marsten, D. F. Shanno, "Very
large-scale linear programming", Operations Research 40 (1992)).
"""

from thrifty.planning.core import Core
from thrifty.planning.relaxation import Relaxation, Relaxed


def promising(relaxation: Relaxation, at: Relaxed, spare: int) -> Core:
    """The positions that the relaxed problem takes, some more, and what they require.

    Args:
        relaxation: the problem.
        at: the prices.
        spare: how many positions beyond those that a plan has room for.
    """
    core, place, requires = relaxation.core, relaxation.place, relaxation.model.requires
    best_first = sorted(relaxation.optional, key=at.best.__getitem__, reverse=True)
    places = [*relaxation.needed, *best_first[: relaxation.free + spare]]
    found = set(places)
    for i in places:
        for step in requires[core[i].step]:
            if (requirement := place[step]) not in found:
                found.add(requirement)
                places.append(requirement)
    return tuple([core[i] for i in sorted(found)])
