"""The schemas of what this portal writes, loaded once per process and namespace.

They are ours: the partner publishes his own at ``www.socialsecurity.be/docu_xml/``.
"""

from functools import cache
from importlib.resources import files
from xml.sax.saxutils import quoteattr

from lxml import etree

SYSTEM_FLUX = "http://www.smals-mvm.be/xml/ns/systemFlux"
"""Namespace of GenericXmlDocument, the envelope of the CareerPro flows."""
FLA_NAMESPACE = "urn:portal:fla:1"
"""Namespace that stands in ``fla.xsd``; a service may put another in its place."""


def source(name: str, namespace: str | None = None) -> bytes:
    """The text of a schema of this folder; the payload's namespace is replaced if one is given."""
    text = (files(__name__) / name).read_text("utf-8")
    if namespace is not None:
        text = text.replace(quoteattr(FLA_NAMESPACE), quoteattr(namespace))
    return text.encode()


@cache
def envelope_schema() -> etree.XMLSchema:
    """The schema of the envelope by itself: it lets any foreign element stand in ``DocumentXML``."""
    return etree.XMLSchema(etree.fromstring(source("envelope.xsd")))


@cache
def fla_schema(namespace: str) -> etree.XMLSchema:
    """The schema of the payload, in `namespace`."""
    return etree.XMLSchema(etree.fromstring(source("fla.xsd", namespace)))


@cache
def athena_schema() -> etree.XMLSchema:
    """The schema of what is said of a CareerPro document."""
    return etree.XMLSchema(etree.fromstring(source("athena.xsd")))


@cache
def file_schema(namespace: str) -> etree.XMLSchema:
    """Envelope and payload together: judges a whole FI file whose payload is in `namespace`."""
    strict = source("envelope.xsd").replace(b'processContents="lax"', b'processContents="strict"')
    sources = {"envelope.xsd": strict, "fla.xsd": source("fla.xsd", namespace)}

    class _Folder(etree.Resolver):  # type: ignore[misc]
        def resolve(self, url: str, public_id: str, context: object) -> object:
            return self.resolve_string(sources[url.rpartition("/")[2]], context)

    parser = etree.XMLParser(no_network=True)
    parser.resolvers.add(_Folder())
    driver = (
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">'
        f'<xs:import namespace={quoteattr(namespace)} schemaLocation="fla.xsd"/>'
        f'<xs:import namespace={quoteattr(SYSTEM_FLUX)} schemaLocation="envelope.xsd"/></xs:schema>'
    )
    return etree.XMLSchema(etree.fromstring(driver.encode(), parser))
