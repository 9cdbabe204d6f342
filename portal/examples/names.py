"""Names of people who do not exist: French, Dutch and from elsewhere, with the signs that break software."""

FAMILY_NAMES: dict[str, tuple[str, ...]] = {
    "fr": (
        "Lefèvre", "Dubois", "Lambert", "Dupont", "Martin", "Simon", "Laurent", "Leclercq", "Gérard",
        "Noël", "Hébert", "Évrard", "François", "Dumoulin", "Delvaux", "Mathieu", "Lejeune", "Renard",
        "Thiry", "Collignon", "D'Hondt", "L'Hoest", "de l'Arbre", "Dal’Pozzo", "Bœuf", "Maïs-Delcourt",
        "Crèvecœur", "de la Kéthulle", "Wautelet", "Hardÿ", "Petitjean", "Cornélis", "Bodart", "Fontaine",
        "Marchal", "Toussaint", "Vanhoutte", "Piérard", "Saint-Amand", "Thonon",
    ),
    "nl": (
        "Peeters", "Janssens", "Maes", "Jacobs", "Mertens", "Willems", "Claes", "Goossens", "Wouters",
        "De Smet", "D'Hooghe", "D'Haene", "'t Kindt", "'t Jampens", "van 't Hof", "Van den Broeck",
        "Van Damme", "De Clercq", "Vermeulen", "Vandenberghe", "Verstraete", "De Backer", "Smets", "Aerts",
        "Hermans", "Coppens", "Bogaerts", "Lenaerts", "Van der Auwera", "Pauwels", "Desmet-De Wòlf",
        "Segers", "Moens", "Verhoeven", "Thijs", "Coëns", "Daniëls", "Michiels", "Baeten", "Huyghe",
    ),
    "": (
        "El Amrani", "Benali", "Öztürk", "Yıldız", "Nowak", "Łukasiewicz", "García Muñoz", "Đặng", "Nguyễn",
        "O'Brien", "Şahin", "Popescu", "Ionuț", "Horváth", "Håkansson", "Müller", "Groß", "Kovačević",
        "Diallo", "N'Diaye", "Mbemba Lukoki", "Di Stefano", "D'Angelo", "Conceição", "Jiménez", "Singh",
        "Haddad",
    ),
}  # fmt: skip

#: By language, then by sex: the serial number in a NISS is even for women and odd for men.
GIVEN_NAMES: dict[str, dict[str, tuple[str, ...]]] = {
    "fr": {
        "f": (
            "Noémie", "Joëlle", "Zoé", "Hélène", "Anaïs", "Cécile", "Françoise", "Émilie", "Chloé",
            "Amélie", "Marie-Ève", "Inès", "Laëtitia", "Agnès", "Camille", "Julie", "Maëlle", "Océane",
            "Sylvie", "Aurore",
        ),
        "m": (
            "Benoît", "François", "Jérôme", "Loïc", "Cédric", "Gaël", "Rémi", "Noé", "Maël", "Grégory",
            "Jean-François", "Timéo", "Antoine", "Olivier", "Thibault", "Raphaël", "Stéphane", "Hugo",
            "Élie", "Guillaume",
        ),
    },
    "nl": {
        "f": (
            "Lotte", "Joëlle", "An-Sofie", "Griet", "Liesbeth", "Femke", "Noë", "Marijke", "Katrien",
            "Eefje", "Saartje", "Elke", "Hanne", "Tine", "Veerle", "Ilse", "Renée", "Annelies", "Zoë",
            "Maité",
        ),
        "m": (
            "Thijs", "Joris", "Koen", "Pieter-Jan", "Daniël", "Raphaël", "Wout", "Bram", "Jef", "Stijn",
            "Gerrit", "Seppe", "Dries", "Michaël", "Kobe", "Lars", "Maarten", "Gaëtan", "Wim", "Jürgen",
        ),
    },
    "": {
        "f": (
            "Fátima", "Ayşe", "Małgorzata", "Thị Hương", "Siobhán", "Zeynep", "Ana-Lucía", "Ștefania",
            "Aïcha", "Željka", "Björk", "Awa", "Khadija", "Giulia", "Îrem", "Conceição",
        ),
        "m": (
            "Saïd", "Mehmet", "Łukasz", "José María", "Văn Đức", "Seán", "Çağlar", "Ștefan", "Møller",
            "Mamadou", "Björn", "Giuseppe", "Željko", "Yüksel", "Ahmed", "João",
        ),
    },
}  # fmt: skip
