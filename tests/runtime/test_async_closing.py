"""A guarded asynchronous generator, and the one behind it, which an event loop closes in any order when it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from sigcheck.runtime import guarding


class Base:
    async def steps(self, x: object) -> AsyncGenerator[object, object]:
        yield x


async def _closed_from_behind(error: type[BaseException]) -> None:
    guarded = Base().steps(1)
    assert await anext(guarded) == 1
    await guarded.ag_frame.f_locals["inner"].aclose()  # type: ignore[attr-defined]
    with pytest.raises(error):
        await guarded.athrow(error)
    await guarded.aclose()


@pytest.mark.parametrize("error", [GeneratorExit, ValueError])
def test_what_is_behind_a_guarded_generator_may_be_closed_first(error: type[BaseException]) -> None:
    with guarding(Base):
        asyncio.run(_closed_from_behind(error))
