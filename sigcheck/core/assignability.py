"""The relation: does the override accept every call of the base, with each argument in the parameter of the same name?

Imports `signature`, `binding` and `incompatibility`. The promise is in the package's docstring; the typing specification
calls it assignability of callables (https://typing.python.org/en/latest/spec/callables.html), to which the binding is added.

How it works. The positional parameters of the two sides are aligned by name into edits (moved, renamed, removed, inserted);
kinds, defaults and catch-alls give the others. An edit is a root cause only if some call shows it: for each, the few calls
that could are built and bound on both sides, and the first that breaks the promise is its witness. So no reason is reported
without a real broken call; that no broken call is without a reason is what `tests/test_relation.py` proves.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Sequence

from sigcheck.core.binding import CallShape, Refusal, Rejection, bind, is_misbinding, smallest_call
from sigcheck.core.dataclass import dataclass
from sigcheck.core.incompatibility import (
    BindingReason,
    DefaultRemoved,
    ExtraRequiredParameters,
    InsertedParameters,
    Landing,
    MissingParameters,
    MovedParameter,
    NotKeyword,
    NotPositional,
    RenamedParameter,
    ReplacedParameters,
    VariadicRemoved,
    Witness,
    names_involved,
)
from sigcheck.core.signature import Kind, Parameter, Signature


def judge(override: Signature, base: Signature, shape: CallShape) -> Rejection | tuple[Landing, ...]:
    """What a call that `base` accepts does on `override`.

    Returns:
        The rejection; or the landings in a parameter of another name, none where the promise is kept.

    Raises:
        ValueError: the base does not accept the call.
    """
    promised = bind(base, shape)
    if isinstance(promised, Rejection):
        message = f"the base {base} does not accept {shape}"
        raise ValueError(message)  # noqa: TRY004 - a rejection is a value of the wrong content, not type
    received = bind(override, shape)
    if isinstance(received, Rejection):
        return received
    return tuple(
        Landing(argument, parameter, received[argument])
        for argument, parameter in promised.items()
        if is_misbinding(parameter, received[argument], override, base)
    )


def incompatibilities(
    override: Signature, base: Signature, *, vocabulary: Collection[frozenset[str]] = ()
) -> tuple[BindingReason, ...]:
    """Why `override` breaks the promise of `base`: one reason for each root cause, none where the promise is kept.

    Args:
        override: the bound signature of the override (no receiver).
        base: the bound signature of the base.
        vocabulary: for each signature of the family, the names of its parameters. Two names that stand in one signature are
            two things: an argument that changes from one to the other is misbound, not renamed.

    An open base (`*args, **kwargs`, see `Signature.is_open`) promises nothing and has no incompatibilities.
    """
    if override.parameters == base.parameters or base.is_open or is_plain_extension(override, base):
        return ()
    comparison = _Comparison(override, base, vocabulary)
    # A refusal is put down to the edit that it names. In odd pairs none is named, and then any edit may explain it.
    found = tuple(comparison.reasons()) or tuple(comparison.reasons(strict=False))
    return tuple(comparison.merged(found))


def is_plain_extension(override: Signature, base: Signature) -> bool:
    """The override has the parameters of the base, in their places, and at most optional ones behind: it keeps the promise.

    This is quick, and settles most pairs. False says nothing.
    """
    if not override.named and override.var_positional is not None and override.var_keyword is not None:
        return True  # It takes everything, and binds nothing to a name.
    named, extra = base.named, {parameter.name: parameter for parameter in override.named}
    for parameter, other in zip(base.positional, override.positional, strict=False):
        is_kind_kept = other.kind is parameter.kind or (other.kind > parameter.kind and base.var_keyword is None)
        if other.name != parameter.name or not is_kind_kept or (other.required and not parameter.required):
            return False
        del extra[other.name]
    if len(override.positional) < len(base.positional):
        return False
    for parameter in named:
        if parameter.kind is not Kind.KEYWORD_ONLY:
            continue
        other_or_none = extra.pop(parameter.name, None)
        if other_or_none is None or not other_or_none.is_keyword or (other_or_none.required and not parameter.required):
            return False
    if any(parameter.required for parameter in extra.values()):
        return False
    if base.var_positional is not None:
        # What is left for `*args` must not fall into a slot that a keyword names as well.
        return (
            override.var_positional is not None
            and len(override.positional) == len(base.positional)
            and (base.var_keyword is None or override.var_keyword is not None)
        )
    return base.var_keyword is None or override.var_keyword is not None


@dataclass(frozen=True, slots=True)
class _Alignment:
    """How the slots of the base became the slots of the override.

    Attributes:
        moved: names on both sides that left their place in the order.
        swapped: pairs of names that changed places, and nothing else did.
        renamed: (base, override) names at the same place.
        inserted: runs of (override names, base names behind them).
    """

    moved: tuple[str, ...]
    swapped: tuple[tuple[str, str], ...]
    renamed: tuple[tuple[str, str], ...]
    inserted: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]


def _align(override: Signature, base: Signature) -> _Alignment:
    before = [slot.name for slot in base.positional]
    after = [slot.name for slot in override.positional]
    in_base, in_override = set(before), set(after)
    known_to_base = {parameter.name for parameter in base.named}
    known_to_override = {parameter.name for parameter in override.named}
    shared_before = [name for name in before if name in in_override]
    shared_after = [name for name in after if name in in_base]
    stable = _longest_common_order(shared_before, shared_after)
    moved = tuple(name for name in shared_before if name not in stable)
    swapped = _swaps(before, after)
    if len(swapped) > len(moved):
        swapped = ()
    renamed: list[tuple[str, str]] = []
    inserted: list[tuple[tuple[str, ...], tuple[str, ...]]] = []
    anchors = [name for name in before if name in stable]
    for removed, added, behind in _gaps(before, after, anchors):
        pairs = [
            (name, after[before.index(name)])
            for name in removed
            if name not in known_to_override
            and before.index(name) < len(after)
            and after[before.index(name)] in added
            and after[before.index(name)] not in known_to_base
            and _may_be_renamed(base.positional[before.index(name)], override.positional[before.index(name)])
        ]
        renamed += pairs
        paired = {name for _, name in pairs}
        displaced = tuple(
            name for name in before[behind:] if name in in_override or name not in {g for g, _ in renamed}
        )
        run: list[str] = []
        for name in added:
            if name not in paired and name not in in_base:
                run.append(name)
            elif run:
                inserted.append((tuple(run), displaced))
                run = []
        if run:
            inserted.append((tuple(run), displaced))
    return _Alignment(() if swapped else moved, swapped, tuple(renamed), tuple(inserted))


def _may_be_renamed(parameter: Parameter, other: Parameter) -> bool:
    """An optional parameter and a required one are two things, unless the slot has no name to the base."""
    return parameter.required or not other.required or not parameter.is_keyword


def _gaps(
    before: Sequence[str], after: Sequence[str], anchors: Sequence[str]
) -> Iterator[tuple[Sequence[str], Sequence[str], int]]:
    """Between two anchors: what the base has there, what the override has, and where in the base the gap ends."""
    start_before = start_after = 0
    for anchor in anchors:
        end_before, end_after = before.index(anchor), after.index(anchor)
        yield before[start_before:end_before], after[start_after:end_after], end_before
        start_before, start_after = end_before + 1, end_after + 1
    yield before[start_before:], after[start_after:], len(before)


def _longest_common_order(before: Sequence[str], after: Sequence[str]) -> frozenset[str]:
    """The largest set of names that both sequences (permutations of each other) hold in the same order."""
    place = {name: index for index, name in enumerate(after)}
    # Patience sorting: the last name of the best sequence of each length, and what stands before each name in it.
    ends: list[str] = []
    places: list[int] = []
    earlier: dict[str, str | None] = {}
    for name in before:
        length = bisect_left(places, place[name])
        earlier[name] = ends[length - 1] if length else None
        ends[length : length + 1] = [name]
        places[length : length + 1] = [place[name]]
    name_or_end = ends[-1] if ends else None
    longest: list[str] = []
    while name_or_end is not None:
        longest.append(name_or_end)
        name_or_end = earlier[name_or_end]
    return frozenset(longest)


def _swaps(before: Sequence[str], after: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """The pairs that exchanged their slots, if no other name that both know left its own."""
    pairs = [(left, right) for left, right in zip(before, after, strict=False) if left in after and right in before]
    moved = [(left, right) for left, right in pairs if left != right]
    if any((right, left) not in moved for left, right in moved):
        return ()
    strayed = [name for name in before if name in after and before.index(name) != after.index(name)]
    if len(strayed) != len(moved):
        return ()
    return tuple(pair for index, pair in enumerate(moved) if (pair[1], pair[0]) not in moved[:index])


class _Comparison:
    """One comparison: the two signatures, their names, and the search for witnesses."""

    def __init__(self, override: Signature, base: Signature, vocabulary: Collection[frozenset[str]]) -> None:
        self.override = override
        self.base = base
        self.vocabulary = vocabulary
        self.base_slots = [slot.name for slot in base.positional]
        self.override_slots = [slot.name for slot in override.positional]
        self.base_parameters = {parameter.name: parameter for parameter in base.named}
        self.override_parameters = {parameter.name: parameter for parameter in override.named}
        self.alignment = _align(override, base)
        self.strict = True
        self.names_the_rest = False
        self.catch_alls_gone: Collection[str] = ()
        self._witnesses: dict[CallShape, Witness | None] = {}
        self._smallest: dict[tuple[int, tuple[str, ...]], CallShape | None] = {}

    def reasons(self, *, strict: bool = True) -> Iterator[BindingReason]:
        """Every root cause: an edit, and a call whose refusal or misbinding is (or, not `strict`, may be) its doing."""
        self.strict = strict
        self.names_the_rest = False
        self.catch_alls_gone = ()
        told: set[str] = set()
        # In this order: what an earlier finding explains, a later one does not tell again.
        finders = (self._order, self._kinds, self._missing, self._keyword_only, self._variadics, self._extra)
        seen: set[tuple[str, frozenset[str]]] = set()
        for find in (*finders, self._collisions):
            for reason in find(frozenset(told)):
                told.update(_told(reason))
                key = (reason.rule, names_involved(reason))
                if key not in seen:
                    seen.add(key)
                    yield reason

    def merged(self, reasons: Sequence[BindingReason]) -> Iterator[BindingReason]:
        """The reasons, with neighbouring slots that belong to other parameters as one."""
        replaced = [reason for reason in reasons if isinstance(reason, ReplacedParameters)]
        replaced.sort(key=lambda reason: self.base_slots.index(reason.parameter))
        runs: list[ReplacedParameters] = []
        for replacement in replaced:
            joined = self._joined(runs[-1], replacement) if runs else None
            if joined is None:
                runs.append(replacement)
            else:
                runs[-1] = joined
        for reason in reasons:
            if not isinstance(reason, ReplacedParameters):
                yield reason
            elif any(run.parameter == reason.parameter for run in runs):
                yield next(run for run in runs if run.parameter == reason.parameter)

    def _joined(self, run: ReplacedParameters, reason: ReplacedParameters) -> ReplacedParameters | None:
        """Both as one, if their slots are neighbours and one call shows all of it."""
        slot = self.base_slots.index(reason.parameter)
        if slot != self.base_slots.index(run.names[-1]) + 1:
            return None
        names, targets = (*run.names, *reason.names), (*run.targets, *reason.targets)
        shape = self._smallest_call(slot + 1)
        witness = self._broken_by(shape) if shape is not None else None
        if witness is None or isinstance(witness.outcome, Rejection):
            return None
        landed = {landing.base.name: landing.override.name for landing in witness.outcome}
        shows_all = all(landed.get(name) == target for name, target in zip(names, targets, strict=True))
        return ReplacedParameters(names, targets, witness) if shows_all else None

    # What moved.

    def _order(self, _: Collection[str]) -> Iterator[BindingReason]:
        for first, second in self.alignment.swapped:
            witness = self._misbinding_of(first, into=second) or self._misbinding_of(second, into=first)
            if witness is not None:
                yield from self._moved(witness, first, swapped=True)
        for name in self.alignment.moved:
            witness = self._misbinding_of(name) or self._misbinding_of(None, into=name)
            if witness is not None:
                yield from self._moved(witness, name, swapped=False)
        for name, new_name in self.alignment.renamed:
            reason = self._renamed(name, new_name)
            if reason is not None:
                yield reason
        for names, displaced in self.alignment.inserted:
            reason = self._inserted(names, displaced)
            if reason is not None:
                yield reason

    def _moved(self, witness: Witness, name: str, *, swapped: bool) -> Iterator[BindingReason]:
        if isinstance(witness.outcome, Rejection):
            slot = self.base_slots.index(name)
            if slot < len(self.override_slots) and self.override_slots[slot] != name:
                yield MovedParameter(name, self.override_slots[slot], swapped, witness)
            return
        landing = next((la for la in witness.outcome if name in (la.base.name, la.override.name)), witness.outcome[0])
        yield MovedParameter(landing.base.name, landing.override.name, swapped, witness)

    def _renamed(self, name: str, new_name: str) -> BindingReason | None:
        if not self.base_parameters[name].is_keyword:
            return None  # Nobody can pass it by its name.
        about = (name, new_name)
        by_position = self._first(self._by_position(self.base_slots.index(name)), about=about)
        by_keyword = self._first(self._by_keyword(name), about=about)
        is_known = any(name in names and new_name in names for names in self.vocabulary)
        if by_position is not None and (is_known or by_keyword is None):
            return ReplacedParameters((name,), (new_name,), by_position)
        witness = by_keyword or by_position
        return None if witness is None else RenamedParameter(name, new_name, witness)

    def _inserted(self, names: tuple[str, ...], displaced: tuple[str, ...]) -> BindingReason | None:
        """The run as a misbinding; None where it displaces nothing, or where every call it breaks is refused for want of it."""
        slots = zip(self.base.positional, self.override.positional, strict=False)
        behind = list(enumerate(slots))[self.override_slots.index(names[0]) :] if displaced else []
        for slot, (parameter, lands_in) in behind:
            if parameter.name not in displaced or not is_misbinding(parameter, lands_in, self.override, self.base):
                continue
            about = (parameter.name, lands_in.name)
            witness = self._first(self._by_position(slot), about=about, silent=True)
            if witness is None or (not witness.is_silent and self._is_required_of_nobody(names)):
                return None
            return InsertedParameters(names, displaced, parameter.name, lands_in.name, witness)
        return None

    def _is_required_of_nobody(self, names: tuple[str, ...]) -> bool:
        """One of the names is required by the override and unknown to the base."""
        return any(self.override_parameters[n].required and n not in self.base_parameters for n in names)

    # What changed its kind or its default.

    def _kinds(self, _: Collection[str]) -> Iterator[BindingReason]:
        for name, parameter in self.base_parameters.items():
            other = self.override_parameters.get(name)
            if other is None:
                continue
            if parameter.is_keyword and not other.is_keyword:
                witness = self._first(self._by_keyword(name), about=(name,))
                if witness is not None and not (witness.is_silent and self.strict):
                    yield NotKeyword((name,), None, witness)
            yield from self._default_removed(parameter, other)
        for name, new_name in self.alignment.renamed:
            yield from self._default_removed(self.base_parameters[name], self.override_parameters[new_name])

    def _default_removed(self, parameter: Parameter, other: Parameter) -> Iterator[BindingReason]:
        if other.required and not parameter.required:
            witness = self._omitting(other.name)
            if witness is not None:
                yield DefaultRemoved(parameter.name, other.name, witness)

    # What is on one side only.

    def _missing(self, told: Collection[str]) -> Iterator[BindingReason]:
        renamed = {name for name, _ in self.alignment.renamed}
        refused: list[tuple[str, Witness]] = []
        for name, parameter in self.base_parameters.items():
            is_gone = name not in self.override_parameters and name not in renamed
            witness = self._first(self._by_keyword(name), about=(name,)) if is_gone else None
            if is_gone and witness is None and not parameter.is_keyword:
                witness = self._by_position_only(name)
            if witness is not None:
                refused.append((name, witness))
            if witness is None or self._goes_in_rest(name) != self._goes_in_rest(refused[0][0]):
                yield from self._missing_run(refused[:-1] if witness is not None else refused, told)
                refused = refused[-1:] if witness is not None else []
        yield from self._missing_run(refused, told)

    def _keyword_only(self, told: Collection[str]) -> Iterator[BindingReason]:
        """What the override takes by keyword, in a parameter or in `**kwargs`, and the base by position too."""
        renamed = {name for name, _ in self.alignment.renamed}
        refused: list[tuple[str, Witness]] = []
        catch_all: Parameter | None = None
        for slot in self.base.positional:
            other = self.override_parameters.get(slot.name)
            witness = None
            if slot.name not in told and slot.name not in renamed and not (other is not None and other.is_positional):
                witness = self._by_position_only(slot.name)
            variadic = self.override.var_keyword if other is None else None
            if (
                witness is not None
                and isinstance(witness.outcome, Rejection)
                and (variadic is catch_all or not refused)
            ):
                refused.append((slot.name, witness))
                catch_all = variadic
                continue
            yield from self._keyword_only_run(refused, catch_all)
            refused = []
            if witness is not None:
                yield from self._not_by_position(slot, witness, variadic)
        yield from self._keyword_only_run(refused, catch_all)

    def _keyword_only_run(
        self, refused: Sequence[tuple[str, Witness]], catch_all: Parameter | None
    ) -> Iterator[BindingReason]:
        if refused:
            yield NotPositional(tuple(name for name, _ in refused), catch_all, refused[0][1])

    def _by_position_only(self, name: str) -> Witness | None:
        """The call that gives a parameter by position, and does not reach it."""
        if name not in self.base_slots:
            return None
        return self._first(self._by_position(self.base_slots.index(name)), about=(name,), overflow=True)

    def _goes_in_rest(self, name: str) -> bool:
        """By position, the override takes the parameter in its `*args`."""
        parameter = self.base_parameters[name]
        is_kept = parameter.is_positional and parameter.is_keyword and self.override.var_positional is not None
        return is_kept and self._by_position_only(name) is None

    def _missing_run(self, refused: Sequence[tuple[str, Witness]], told: Collection[str]) -> Iterator[BindingReason]:
        """One reason for parameters that stand side by side; shown by position, as templates pass them, where that fails too."""
        if not refused:
            return
        names = tuple(name for name, _ in refused)
        if self._goes_in_rest(names[0]):
            yield NotKeyword(names, self.override.var_positional, refused[0][1])
            return
        landing = self._by_position_only(names[0]) if names[0] not in told else None
        lands_in = None
        if landing is not None and not isinstance(landing.outcome, Rejection):
            lands_in = next((entry.override.name for entry in landing.outcome if entry.base.name == names[0]), None)
        slot = self.base_slots.index(names[-1]) if names[-1] in self.base_slots else -1
        by_position = self._smallest_call(slot + 1) if slot >= 0 else None
        together = self._first([by_position], about=names, overflow=True, refusal=Refusal.TOO_MANY_POSITIONAL)
        yield MissingParameters(names, lands_in, together or refused[0][1])

    def _not_by_position(
        self, parameter: Parameter, witness: Witness, catch_all: Parameter | None
    ) -> Iterator[BindingReason]:
        """By position it lands elsewhere, or nowhere."""
        landings = () if isinstance(witness.outcome, Rejection) else witness.outcome
        landing = next((entry for entry in landings if entry.base.name == parameter.name), None)
        if landing is None:
            yield NotPositional((parameter.name,), catch_all, witness)
            return
        yield ReplacedParameters((parameter.name,), (landing.override.name,), witness)
        if landing.override.name not in self.base_parameters:
            yield from self._default_removed(parameter, landing.override)

    def _extra(self, told: Collection[str]) -> Iterator[BindingReason]:
        if self.names_the_rest:
            return
        displaced_by = {name: displaced for names, displaced in self.alignment.inserted for name in names}
        renamed = {name for _, name in self.alignment.renamed}
        run: list[str] = []
        first: Witness | None = None
        for name, parameter in self.override_parameters.items():
            witness = None
            if parameter.required and name not in self.base_parameters and name not in renamed and name not in told:
                # What an insertion pushes out of the call is what the interpreter calls missing.
                is_inserted = bool(displaced_by.get(name))
                behind = self.override_slots[self.override_slots.index(name) + 1 :] if is_inserted else ()
                witness = self._omitting(name, *behind)
            if witness is not None:
                run.append(name)
                first = first or witness
            elif first is not None:
                yield ExtraRequiredParameters(tuple(run), displaced_by.get(run[-1], ()), first)
                run, first = [], None
        if first is not None:
            yield ExtraRequiredParameters(tuple(run), displaced_by.get(run[-1], ()), first)

    # What the catch-alls no longer take.

    def _variadics(self, _: Collection[str]) -> Iterator[BindingReason]:
        rest, keywords = self.base.var_positional, self.base.var_keyword
        removed: list[Parameter] = []
        witnesses: list[Witness] = []
        if rest is not None and self.override.var_positional is None:
            count = max(len(self.base_slots), len(self.override_slots)) + 1
            witness = self._first([self._smallest_call(count)], overflow=True)
            if witness is not None:
                removed.append(rest)
                witnesses.append(witness)
        if keywords is not None and self.override.var_keyword is None:
            fresh = self._fresh_keyword()
            needed = sum(slot.required for slot in self.base.positional)
            counts = [needed, *(count for count in range(len(self.base_slots) + 1) if count != needed)]
            witness = self._first((self._smallest_call(count, fresh) for count in counts), about=(fresh,))
            if witness is not None:
                removed.append(keywords)
                witnesses.append(witness)
        if removed:
            if rest is not None and keywords is not None:
                # The override names what the base leaves open: that is the one cause of all that follows from it.
                self.names_the_rest = True
            self.catch_alls_gone = {variadic.name for variadic in removed}
            yield VariadicRemoved(tuple(removed), (), witnesses[0])

    # What one argument takes from another: the slot filled by position, and the keyword given too.

    def _collisions(self, told: Collection[str]) -> Iterator[BindingReason]:
        if self.names_the_rest:
            return
        rest, keywords = self.base.var_positional, self.base.var_keyword
        claims: list[tuple[Parameter | None, str, Witness]] = []
        for slot, name in enumerate(self.override_slots):
            lands_in = self.override.positional[slot]
            if name in told or not lands_in.is_keyword:
                continue
            if slot < len(self.base_slots) and is_misbinding(
                self.base.positional[slot], lands_in, self.override, self.base
            ):
                continue
            parameter = self.base_parameters.get(name)
            if parameter is None and self.override.var_keyword is None:
                continue  # The base's **kwargs is gone: that it is gone tells this too.
            shape = self._smallest_call(slot + 1, name)
            witness = self._first([shape], about=(name,), refusal=Refusal.MULTIPLE_VALUES)
            if witness is None:
                continue
            if parameter is None or not parameter.is_keyword:
                # A keyword that no parameter of the base takes went to its `**kwargs`.
                claims.append((keywords, name, witness))
            elif slot < len(self.base_slots):
                yield ReplacedParameters((self.base_slots[slot],), (name,), witness)
            else:
                # A position that no slot of the base takes went to its `*args`.
                claims.append((rest, name, witness))
        for variadic in (rest, keywords):
            claimed = [(name, witness) for catch_all, name, witness in claims if catch_all is variadic]
            if variadic is not None and claimed and variadic.name not in self.catch_alls_gone:
                yield VariadicRemoved((variadic,), tuple(name for name, _ in claimed), claimed[0][1])

    def _fresh_keyword(self) -> str:
        """A keyword that neither side has a parameter for."""
        name = "extra"
        while name in self.base_parameters or name in self.override_parameters:
            name += "_"
        return name

    # Calls that may break the promise.

    def _smallest_call(self, positional: int, *keywords: str) -> CallShape | None:
        """`binding.smallest_call` of the base: every reason asks for the same few."""
        key = (positional, keywords)
        if key not in self._smallest:
            self._smallest[key] = smallest_call(self.base, positional, *keywords)
        return self._smallest[key]

    def _by_position(self, slot: int) -> Iterator[CallShape | None]:
        """The base's calls that give this slot by position, the smallest first."""
        for count in range(slot + 1, len(self.base_slots) + 1):
            yield self._smallest_call(count)

    def _by_keyword(self, name: str) -> Iterator[CallShape | None]:
        """The base's calls that give this parameter by keyword: with as many in front of it by position as can be, then fewer."""
        if not self.base_parameters[name].is_keyword:
            return
        slots = self.base_slots.index(name) if name in self.base_slots else len(self.base_slots)
        for count in range(slots, -1, -1):
            yield self._smallest_call(count, name)

    def _misbinding_of(self, name: str | None, *, into: str | None = None) -> Witness | None:
        """A call that binds `name` (or any) wrongly (or wrongly in `into`): accepted by the override if there is one."""
        slot = self.base_slots.index(name) if name is not None else self.override_slots.index(into or "")
        about = tuple(word for word in (name, into) if word is not None)
        return self._first(self._by_position(slot), about=about, silent=True)

    def _omitting(self, *names: str) -> Witness | None:
        """A call of the base that leaves one of the override's parameters without the argument it requires."""
        shapes = [self._smallest_call(count) for count in range(len(self.base_slots) + 1)]
        return self._first(shapes, about=names, refusal=Refusal.MISSING_ARGUMENT)

    def _first(
        self,
        shapes: Iterable[CallShape | None],
        *,
        about: tuple[str, ...] = (),
        silent: bool = False,
        overflow: bool = False,
        refusal: Refusal | None = None,
    ) -> Witness | None:
        """The first of the calls that breaks the promise, in a way that the reason looked for explains.

        Args:
            shapes: the calls; those that are None, not legal on the base, are passed over.
            about: the landing must be of, or in, one of these; or the refusal must name one of them.
            silent: prefer a call that the override accepts.
            overflow: too many positional arguments count too; that refusal names nothing.
            refusal: nothing but a rejection of this kind counts.
        """
        rejected: Witness | None = None
        for shape in shapes:
            witness = None if shape is None else self._broken_by(shape)
            if witness is None:
                continue
            is_explained = _explains(witness.outcome, about, overflow=overflow, refusal=refusal)
            if not is_explained and (self.strict or refusal is not None):
                continue
            if witness.is_silent or not silent:
                return witness
            rejected = rejected or witness
        return rejected

    def _broken_by(self, shape: CallShape) -> Witness | None:
        """What a call breaks, or None."""
        if shape not in self._witnesses:
            outcome = judge(self.override, self.base, shape)
            found = Witness(shape, outcome) if outcome else None
            self._witnesses[shape] = self._completed(found) if found is not None else None
        return self._witnesses[shape]

    def _completed(self, witness: Witness) -> Witness:
        """The call with the arguments that it lacks on the override, if the base takes them too and they make it run wrongly."""
        outcome = witness.outcome
        if not isinstance(outcome, Rejection) or outcome.refusal is not Refusal.MISSING_ARGUMENT:
            return witness
        fuller = self._smallest_call(witness.shape.positional, *witness.shape.keywords, *outcome.names)
        if fuller is None or not set(outcome.names) <= set(self.base_parameters):
            return witness
        second = judge(self.override, self.base, fuller)
        return witness if isinstance(second, Rejection) or not second else Witness(fuller, second)


def _explains(
    outcome: Rejection | tuple[Landing, ...], about: tuple[str, ...], *, overflow: bool, refusal: Refusal | None
) -> bool:
    """The broken call is broken by what the reason is about, and not by something else."""
    if not isinstance(outcome, Rejection):
        return refusal is None and any(
            landing.base.name in about or landing.override.name in about for landing in outcome
        )
    if refusal is not None and outcome.refusal is not refusal:
        return False
    if outcome.refusal is Refusal.TOO_MANY_POSITIONAL:
        return overflow
    return any(name in about for name in outcome.names)


def _told(reason: BindingReason) -> Iterator[str]:
    """The parameters whose collisions a reason already explains."""
    match reason:
        case MissingParameters() | ExtraRequiredParameters() | NotPositional() | NotKeyword():
            yield from reason.names
        case InsertedParameters(names=names, displaced=displaced):
            yield from names
            yield from displaced
        case MovedParameter() | ReplacedParameters() | RenamedParameter():
            yield reason.parameter
            yield reason.lands_in
        case DefaultRemoved() | VariadicRemoved():
            return
