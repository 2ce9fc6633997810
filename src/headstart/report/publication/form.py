"""What `findings.json` of a published study holds, as far as it is read again."""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

NUMBERS = list(range(1, 10))
"""The findings, in their order."""


Judgement = Literal[
    "holds",
    "does not hold",
    "does not show",
    "no difference that matters",
    "undecided",
    "one start",
    "not asked",
]
"""What a study says of a finding."""


class Form(BaseModel):
    """A part of the file. What is not named here is left as it is."""

    model_config = ConfigDict(extra="allow", strict=True)


class VerdictForm(Form):
    """Both sentences, and what comes before them."""

    headlines: list[str] = []
    where: str
    which: str


class DifferenceForm(Form):
    """What is judged, over `n` seeds."""

    n: int


class FindingForm(Form):
    """A finding: judged with its sentence, or what it would have needed."""

    number: int
    claim: str
    judgement: Judgement
    difference: str = ""
    judged: DifferenceForm | None = None
    p_holm: Annotated[float, Field(strict=False, ge=0, le=1)] | None = None
    within: str = ""
    more_seeds: Annotated[int, Field(ge=1)] | None = None
    sentence: str = ""
    to_decide: str = ""
    needs: str = ""

    @model_validator(mode="after")
    def _is_told(self) -> Self:
        if not self.needs and not (self.sentence and "to_decide" in self.model_fields_set):
            raise ValueError("expected a sentence, or what it needs")
        return self


class RunForm(Form):
    """How the study was run."""

    runs: int
    seeds: list[int]
    diverged: int
    failed: int = 0
    trials: int = 0
    starts: list[str] | None = None


def _are_all(answers: list[FindingForm]) -> list[FindingForm]:
    if [answer.number for answer in answers] != NUMBERS:
        raise ValueError(f"expected the findings 1 to {NUMBERS[-1]}")
    return answers


class Published(Form):
    """A study as it was published."""

    title: str
    task: str
    model: str
    verdict: VerdictForm
    findings: Annotated[list[FindingForm], AfterValidator(_are_all)]
    cautions: list[str]
    unlearned: list[str]
    preset: str
    run: RunForm
    starts: list[str]
    compared: list[str]


def refuse_other_forms(found: Any) -> None:
    """Holds what was read to this form.

    Raises:
        ValueError: it has another one; in a line.
    """
    try:
        Published.model_validate(found)
    except ValueError as error:
        lines = [line.strip() for line in str(error).splitlines()]
        raise ValueError(": ".join(lines[1:3]) or lines[0]) from None
