"""The two mandataires of the examples, their operators, and the employers they speak for."""

import random
from dataclasses import dataclass
from datetime import date

from mandates.numbers import make_enterprise_number, make_onss_number
from portal.examples.names import FAMILY_NAMES
from portal.examples.sectors import SECTORS
from portal.examples.staff import Employer

SERVICE = "FLA"

#: First days of quarters on which mandates started; the service itself opened on the first of them.
_MANDATED_FROM = (date(2024, 4, 1), date(2024, 4, 1), date(2024, 4, 1), date(2024, 7, 1), date(2025, 1, 1))


@dataclass(frozen=True, slots=True)
class Operator:
    username: str
    email: str
    first_name: str
    last_name: str
    language: str
    profile: str


@dataclass(frozen=True, slots=True)
class Mandataire:
    slug: str
    name: str
    number: str
    sender: str
    quality: str
    language: str
    operators: tuple[Operator, ...]


MANDATAIRES = (
    Mandataire(
        slug="secretariat-social-exemple",
        name="Secrétariat social Exemple",
        number=make_enterprise_number("01042170"),
        sender="104217",
        quality="social_secretariat",
        language="fr",
        operators=(
            Operator(
                "noemie.lefevre", "noemie.lefevre@secretariat.example", "Noémie", "Lefèvre", "fr", "extended"
            ),
            Operator(
                "said.elamrani", "said.elamrani@secretariat.example", "Saïd", "El Amrani", "fr", "encode"
            ),
        ),
    ),
    Mandataire(
        slug="dienstverlener-voorbeeld",
        name="Dienstverlener Voorbeeld",
        number=make_enterprise_number("01206731"),
        sender="206731",
        quality="service_provider",
        language="nl",
        operators=(
            Operator(
                "joelle.dhooghe",
                "joelle.dhooghe@dienstverlener.example",
                "Joëlle",
                "D'Hooghe",
                "nl",
                "extended",
            ),
            Operator("bram.tkindt", "bram.tkindt@dienstverlener.example", "Bram", "'t Kindt", "nl", "encode"),
        ),
    ),
)


def split_employers(employers: int) -> tuple[int, int]:
    """How many employers each mandataire has: seven and five of twelve, at least one each."""
    first = max(1, (employers * 7) // 12)
    return first, employers - first


def invent_employers(
    rng: random.Random, mandataire: Mandataire, count: int, first_code: int
) -> list[Employer]:
    """Employers with numbers that pass the checks and that nobody has; one employer in eight speaks the other
    language.

    Enterprise numbers in use start with 02 to 10: these start with 01 or 19. The leading zero is what
    spreadsheets lose, so about half of the employers have one.
    """
    other = "nl" if mandataire.language == "fr" else "fr"
    return [
        _employer(rng, other if place % 8 == 4 else mandataire.language, first_code + place)
        for place in range(count)
    ]


def _employer(rng: random.Random, language: str, code: int) -> Employer:
    turn, place = divmod(code - 1, len(SECTORS[language]))
    sector = SECTORS[language][place]
    # The code takes the last digits: no two employers share a number.
    stem = f"{rng.choice(('01', '19'))}{rng.randrange(500, 1000):03d}{code:03d}"
    return Employer(
        number=make_enterprise_number(stem),
        nsso=make_onss_number(f"19{rng.randrange(10, 100)}{code:03d}"),
        name=sector.name.format(_family(language, turn, place)),
        language=language,
        sector=sector,
        mandated_from=rng.choice(_MANDATED_FROM),
        client_code=f"CLT{code:02d}",
    )


def _family(language: str, turn: int, place: int) -> str:
    """Another family at every turn, and two of them once all had theirs: no two employers share a name."""
    families = FAMILY_NAMES[language]
    family = families[(turn + 3 * place) % len(families)]
    return family if turn < len(families) else f"{family}-{families[turn % 7]}"
