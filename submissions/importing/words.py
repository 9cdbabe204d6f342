"""The headings of the files of the register, in four languages, and the other ones that people write."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final


def _in(en: str, fr: str, nl: str, de: str) -> Mapping[str, str]:
    return {"en": en, "fr": fr, "nl": nl, "de": de}


# fmt: off
HEADINGS: Final[Mapping[str, Mapping[str, str]]] = {
    "client_reference": _in("Your reference", "Votre référence", "Uw referentie", "Ihre Referenz"),
    "title": _in("Title", "Intitulé", "Titel", "Titel"),
    "kind": _in("Type", "Type", "Soort", "Art"),
    "starts_on": _in("First day", "Premier jour", "Eerste dag", "Erster Tag"),
    "ends_on": _in("Last day", "Dernier jour", "Laatste dag", "Letzter Tag"),
    "duration_unit": _in("Counted in", "Compté en", "Geteld in", "Gezählt in"),
    "duration_minutes": _in("Duration", "Durée", "Duur", "Dauer"),
    "day_minutes": _in("Normal day", "Journée normale", "Normale dag", "Normaler Tag"),
    "status": _in("Status", "Statut", "Status", "Status"),
    "charged_minutes": _in("Charged to the individual right", "Imputé sur le droit individuel",
                           "Aangerekend op het individueel recht", "Auf das individuelle Recht angerechnet"),
    "nature": _in("Nature", "Nature", "Aard", "Natur"),
    "result": _in("Result", "Résultat", "Resultaat", "Ergebnis"),
    "certificate": _in("Certificate", "Certificat", "Getuigschrift", "Zertifikat"),
    "certificate_valid_until": _in("Certificate valid until", "Certificat valable jusqu'au",
                                   "Getuigschrift geldig tot", "Zertifikat gültig bis"),
    "funding": _in("Paid by", "Payé par", "Betaald door", "Bezahlt von"),
    "provider": _in("Provider", "Organisme", "Opleider", "Anbieter"),
    "working_hours": _in("Working hours", "Heures de travail", "Werkuren", "Arbeitszeit"),
    "cost_cents": _in("Cost", "Coût", "Kostprijs", "Kosten"),
    "domain": _in("Domain", "Domaine", "Domein", "Bereich"),
    "family_name": _in("Family name", "Nom", "Naam", "Name"),
    "given_name": _in("Given name", "Prénom", "Voornaam", "Vorname"),
    "language": _in("Language", "Langue", "Taal", "Sprache"),
    "joint_committee": _in("Joint committee", "Commission paritaire", "Paritair comité", "Paritätische Kommission"),
    "regime": _in("Work regime (%)", "Régime de travail (%)", "Arbeidsregime (%)", "Arbeitsregelung (%)"),
    "contract_day": _in("Normal day", "Journée normale", "Normale dag", "Normaler Tag"),
    "entered_on": _in("Entered on", "Entré le", "In dienst op", "Eingetreten am"),
    "left_on": _in("Left on", "Sorti le", "Uit dienst op", "Ausgetreten am"),
    "right_year": _in("Year", "Année", "Jaar", "Jahr"),
    "decision": _in("What is decided", "Ce qui est décidé", "Wat er wordt beslist", "Was entschieden wird"),
    "right_minutes": _in("How much", "Combien", "Hoeveel", "Wie viel"),
    "reason": _in("Reason", "Motif", "Reden", "Grund"),
}

OTHERS: Final[Mapping[str, tuple[str, ...]]] = {
    "client_reference": ("Reference", "Référence", "Réf.", "Referentie", "Ref.", "Referenz", "ID"),
    "title": ("Training", "Formation", "Intitulé de la formation", "Titre", "Opleiding", "Naam opleiding", "Vorming",
              "Bezeichnung", "Ausbildung", "Weiterbildung", "Schulung"),
    "kind": ("Kind", "Type de formation", "Type opleiding", "Soort opleiding", "Training type", "Typ"),
    "starts_on": ("Start", "Start date", "From", "Date de début", "Début", "Du", "Begindatum", "Startdatum", "Van",
                  "Begin", "Beginn", "Anfangsdatum", "Ab"),
    "ends_on": ("End", "End date", "To", "Date de fin", "Fin", "Au", "Einddatum", "Tot", "Einde", "Ende", "Enddatum",
                "Bis"),
    "duration_unit": ("Unit", "Unité", "Eenheid", "Einheit"),
    "duration_minutes": ("Hours", "Heures", "Durée de la formation", "Uren", "Duurtijd", "Stunden", "Length"),
    "day_minutes": ("Day length", "Durée d'un jour", "Duur van een dag", "Tagesdauer"),
    "status": ("État", "Toestand", "Stand", "Zustand"),
    "charged_minutes": ("Charged", "Imputé", "Heures imputées", "Aangerekend", "Angerechnet"),
    "nature": ("Subject", "Matière", "Thème", "Onderwerp", "Thema"),
    "certificate": ("Attestation", "Diplôme", "Certificaat", "Attest", "Bescheinigung"),
    "certificate_valid_until": ("Valid until", "Valable jusqu'au", "Geldig tot", "Gültig bis"),
    "funding": ("Funding", "Financement", "Financiering", "Finanzierung"),
    "provider": ("Trainer", "Formateur", "Centre de formation", "Opleidingsverstrekker", "Schulungsanbieter"),
    "cost_cents": ("Price", "Prix", "Kost", "Prijs", "Preis"),
    "domain": ("Sector", "Secteur", "Sektor"),
    "family_name": ("Last name", "Surname", "Name", "Nom de famille", "Achternaam", "Familienaam", "Familienname",
                    "Nachname"),
    "given_name": ("First name", "Prénoms", "Voornamen", "Vornamen"),
    "language": ("Langue du travailleur", "Taal van de werknemer", "Sprache des Arbeitnehmers"),
    "joint_committee": ("JC", "CP", "N° CP", "PC", "PK", "Numéro de commission paritaire", "Nummer paritair comité"),
    "regime": ("Regime", "Régime", "Régime de travail", "Work regime", "Arbeidsregime", "Arbeitsregelung", "%",
               "Taux d'occupation", "Tewerkstellingsbreuk", "Percentage", "Pourcentage", "Prozent"),
    "contract_day": ("Day length", "Durée d'un jour", "Duur van een dag", "Tagesdauer", "Minutes par jour"),
    "entered_on": ("In service", "Date d'entrée", "Entrée", "Entrée en service", "Datum in dienst", "In dienst",
                   "Indiensttreding", "Eintritt", "Eintrittsdatum", "Hired on", "Start date"),
    "left_on": ("Out of service", "Date de sortie", "Sortie", "Datum uit dienst", "Uit dienst", "Uitdiensttreding",
                "Austritt", "Austrittsdatum", "End date"),
    "right_year": ("Year of the right", "Année du droit", "Jaar van het recht", "Jahr des Rechts", "Calendar year"),
    "decision": ("Decision", "Décision", "Beslissing", "Entscheidung", "What", "Quoi", "Wat", "Was"),
    "right_minutes": ("Right", "Droit", "Recht", "Amount", "Montant du droit", "Quantité", "Aantal", "Umfang",
                      "Duration", "Durée", "Duur", "Dauer"),
    "reason": ("Why", "Pourquoi", "Waarom", "Warum", "Raison", "Justification", "Motivering", "Begründung", "Comment"),
}
# fmt: on
