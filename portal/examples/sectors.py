"""Employers that do not exist, in sectors that do: a pattern for the name, and the joint committees."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sector:
    #: `{}` is replaced by a family name.
    name: str
    #: The first is the one of most workers. Numbers as in a DmfA: 118.03, 200.
    joint_committees: tuple[str, ...]
    #: Minutes of a normal day of a full-timer: 456 = 7 h 36 (38 hours a week), 432 = 7 h 12 (36 hours).
    day_minutes: int = 456
    #: Days of individual right of a full-timer in a full year. Below 10 FTE there is none, from 10 to 19 one
    #: day, from 20 on five unless the sector agreed on less (law of 3 October 2022).
    right_days: int = 5


SECTORS = {
    "fr": (
        Sector("Boulangerie L'Épi d'Or {} SRL", ("118.03", "200"), right_days=1),
        Sector("Nettoyage {} & Net SA", ("121", "200")),
        Sector("Constructions {} & Fils SA", ("124", "200")),
        Sector('Hôtel-Restaurant "Le {}" SRL', ("302",), right_days=1),
        Sector("Transports {} Express SA", ("140.03", "226")),
        Sector("Fiduciaire {} < Associés > SRL", ("200",), day_minutes=432, right_days=4),
        Sector("Titres-services Chez {} SCRL", ("322.01", "200")),
        Sector("Épicerie fine d'Antan {} SRL", ("119.01", "200"), right_days=0),
        Sector("Agence en douane {} SA", ("226",), day_minutes=432),
        Sector("Traiteur L'Œuf & la Poule {} SRL", ("118.03", "302")),
    ),
    "nl": (
        Sector("Bakkerij 't Goudbrood {} BV", ("118.03", "200"), right_days=1),
        Sector("Schoonmaak {} & Zonen BV", ("121", "200")),
        Sector("Bouw- & renovatiebedrijf {} NV", ("124", "200")),
        Sector('Brasserie "De Drie Koningen" {} BV', ("302",), right_days=1),
        Sector("Transport {} Expres NV", ("140.03", "226")),
        Sector("Boekhouding {} < Partners > BV", ("200",), day_minutes=432, right_days=4),
        Sector("Dienstencheques Bij {} CV", ("322.01", "200")),
        Sector("Voedingsgroothandel Coöperatie {} CV", ("119.01", "200"), right_days=0),
        Sector("Expeditie {} & Haven NV", ("226",), day_minutes=432),
    ),
}
