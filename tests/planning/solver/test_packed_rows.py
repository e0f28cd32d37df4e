"""Packed rows say what the rows one by one say."""

from hypothesis import given
from hypothesis import strategies as st

from thrifty.planning.solver.knapsack import KnapsackModel
from thrifty.planning.solver.knapsack_item import KnapsackItem
from thrifty.planning.solver.packed_rows import PackedRows

AMOUNTS = st.integers(0, 10**18)


def model_of(capacities: tuple[int, ...], *amounts: tuple[int, ...]) -> KnapsackModel:
    items = tuple((KnapsackItem(i, 1, a, (), (), str(i)),) for i, a in enumerate(amounts))
    count = len(items)
    return KnapsackModel(
        items, ((),) * count, (False,) * count, (-1,) * count, (False,) * count,
        tuple(map(str, range(len(capacities)))), capacities, count,
    )  # fmt: skip


@given(st.lists(st.tuples(AMOUNTS, AMOUNTS, AMOUNTS), min_size=1, max_size=3))
def test_a_guard_is_gone_exactly_when_a_row_is_short(table):
    capacities, used, rows = table[0], table[-1], len(table[0])
    packed = PackedRows(model_of(capacities, *table[1:], used))
    left = packed.capacity_rooms - packed.pack(used)
    fits = left & packed.guard_bits == packed.guard_bits
    assert fits == all(used[row] <= capacities[row] for row in range(rows))
    rooms = [left >> shift & mask for shift, mask in zip(packed.shifts, packed.masks, strict=True)]
    assert not fits or rooms == [capacities[row] - used[row] for row in range(rows)]


def test_many_loads_are_the_loads_one_by_one():
    model = model_of((100, 7), (3, 7), (90, 0), (500, 1))
    rows = PackedRows(model)
    items = [item for group in model.items for item in group]
    assert rows.pack_items(items) == [rows.pack(item.amounts) for item in items]


def test_a_model_without_rows_has_room_for_everything():
    rows = PackedRows(model_of((), (), ()))
    assert rows.capacity_rooms & rows.guard_bits == rows.guard_bits
