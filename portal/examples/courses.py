"""What people were trained in, by whom, and what came of it. Titles carry `&`, `<` and quotes on purpose."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Course:
    title: str
    kind: str
    nature: str
    domain: str
    certificate: str = ""
    #: Years the certificate is valid; 0 = for ever.
    years_valid: int = 0


COURSES = {
    "fr": (
        Course("Sécurité & hygiène: bases", "formal", "Sécurité", "Bien-être au travail"),
        Course('Excel "avancé" < 2 jours', "formal", "Informatique", "Bureautique"),
        Course("Premiers secours: recyclage", "formal", "Sécurité", "Bien-être au travail", "Secouriste", 1),
        Course("Cariste: chariots ≤ 5 t", "formal", "Technique", "Logistique", "Brevet de cariste", 5),
        Course("HACCP & traçabilité", "formal", "Hygiène", "Alimentation", "Attestation HACCP", 3),
        Course("Accueil du client: l'art d'écouter", "formal", "Communication", "Vente"),
        Course("Néerlandais «niveau A2»", "formal", "Langues", "Langues", "Certificat A2"),
        Course("Conduite défensive", "formal", "Sécurité", "Transport", "Code 95", 5),
        Course("Lecture d'un plan d'exécution", "formal", "Technique", "Construction"),
        Course("Compagnonnage: tourage & pâte levée", "informal", "Technique", "Alimentation"),
        Course("Travail en hauteur > 3 m", "formal", "Sécurité", "Construction", "Attestation", 2),
        Course("RGPD: qu'est-ce qui change?", "informal", "Juridique", "Administration"),
        Course("XML pour débutants: <balises>, &entités; et ]]>", "formal", "Informatique", "Informatique"),
        Course("Découverte d'un nouvel outil; prise en main", "informal", "Informatique", "Bureautique"),
        Course('Leadership "bienveillant" & gestion d\'équipe', "formal", "Gestion", "Management"),
        Course("Produits dangereux: l’étiquetage CLP", "formal", "Sécurité", "Nettoyage"),
        Course("+ de confort: ergonomie du poste", "informal", "Ergonomie", "Bien-être au travail"),
        Course("Coaching d'équipe par un pair", "informal", "Communication", "Management"),
        Course("VCA de base", "formal", "Sécurité", "Bien-être au travail", "VCA-B", 10),
        Course("Cuisine à l'œuf: 100 % maîtrise", "formal", "Technique", "Horeca"),
    ),
    "nl": (
        Course("Veiligheid & hygiëne: basis", "formal", "Veiligheid", "Welzijn op het werk"),
        Course('Excel "gevorderd" < 2 dagen', "formal", "Informatica", "Kantoor"),
        Course("EHBO: bijscholing", "formal", "Veiligheid", "Welzijn op het werk", "Hulpverlener", 1),
        Course("Heftruckchauffeur ≤ 5 t", "formal", "Techniek", "Logistiek", "Heftruckattest", 5),
        Course("HACCP & traceerbaarheid", "formal", "Hygiëne", "Voeding", "HACCP-attest", 3),
        Course("Klachten van klanten: 't kan beter", "formal", "Communicatie", "Verkoop"),
        Course("Frans «niveau A2»", "formal", "Talen", "Talen", "Attest A2"),
        Course("Defensief rijden", "formal", "Veiligheid", "Transport", "Code 95", 5),
        Course("Een uitvoeringsplan lezen", "formal", "Techniek", "Bouw"),
        Course("Meelopen met een collega: lassen", "informal", "Techniek", "Metaal"),
        Course("Werken op hoogte > 3 m", "formal", "Veiligheid", "Bouw", "Attest", 2),
        Course("AVG: wat is er nieuw?", "informal", "Juridisch", "Administratie"),
        Course("XML voor beginners: <tags>, &entiteiten; en ]]>", "formal", "Informatica", "Informatica"),
        Course("Nieuwe kassa; eerste stappen", "informal", "Informatica", "Verkoop"),
        Course('"Verbindend" leidinggeven & coachen', "formal", "Beheer", "Management"),
        Course("Gevaarlijke producten: ’t CLP-etiket", "formal", "Veiligheid", "Schoonmaak"),
        Course("+ sterk: tillen zonder rugpijn", "informal", "Ergonomie", "Welzijn op het werk"),
        Course("Intervisie: één casus per maand", "informal", "Communicatie", "Zorg"),
        Course("VCA basis", "formal", "Veiligheid", "Welzijn op het werk", "VCA-B", 10),
        Course("Coördinatie van de ploeg: 100 % begrepen", "formal", "Beheer", "Management"),
    ),
}

PROVIDERS = {
    "fr": (
        "Centre de formation L'Étincelle", "Savoir & Faire ASBL", 'Institut "Les Quatre Vents"',
        "Académie d'Entreprise de l'Exemple", "Formation < Plus > SRL", "Fonds sectoriel fictif",
    ),
    "nl": (
        "Opleidingscentrum De Vonk", "Kennis & Kunde vzw", 'Instituut "De Vier Winden"',
        "Leerhuis 't Voorbeeld", "Groei < Meer > BV", "Fictief sectorfonds",
    ),
}  # fmt: skip

RESULTS = {
    "fr": ("Réussi", "Attestation de présence", "Réussi avec mention", "À revoir dans l'année"),
    "nl": ("Geslaagd", "Bewijs van deelname", "Geslaagd met onderscheiding", "Binnen 't jaar te hernemen"),
}
