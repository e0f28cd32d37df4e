"""A sample of the steps (columns) that matter, where a plan has room for few of thousands.

What a relaxation takes hardly depends on steps that are far from being taken. So prices are first
found for a promising part, where they cost next to nothing, and the whole problem is then bounded
at them: "sifting" (R. E. Bixby, J. W. Gregory, I. J. Lustig, R. E. Marsten, D. F. Shanno, "Very
large-scale linear programming", Operations Research 40 (1992)).
"""

from thrifty.planning.solver.core import Core
from thrifty.planning.solver.relaxation import Relaxation, RelaxedSolution


def sample_steps(relaxation: Relaxation, solution: RelaxedSolution, extra_steps: int) -> Core:
    """The steps that the relaxed problem chooses, so many more, and what they require."""
    core, place, requires = relaxation.core, relaxation.place_of, relaxation.model.requires
    best_first = sorted(relaxation.optional, key=solution.net_step_values.__getitem__, reverse=True)
    places = [*relaxation.needed, *best_first[: relaxation.free_places + extra_steps]]
    found = set(places)
    for i in places:
        for step in requires[core[i].step]:
            if (requirement := place[step]) not in found:
                found.add(requirement)
                places.append(requirement)
    return tuple([core[i] for i in sorted(found)])
