"""Who gets which answer where: every address of the portal, by method and by person, in one table.

A line is an address (its name in the resolver), a method and a status for each of WHO, in their order. A line may stop
before the last of them: whoever is left out gets what AT_LEAST says. So a new address is one line, and a new kind of
person is one more word in WHO, with what he gets wherever nothing else is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

WHO: Final = (
    "anonymous", "encode", "administrative", "extended", "onlooker", "delegate", "manager", "stranger", "employer",
)  # fmt: skip
"""Nobody; members with what is usual at each profile of declarations; who may see users only, who may manage them only;
the local manager; the manager of another organisation, who asks for the objects of this one; and an employer user, who
works at the newest client of the organisation and may declare and manage mandates there.

The employer user asks for the same objects as everybody: the client, its mandate, its worker and its declaration are
his own, and answer him; contracts, records, sets, procurations and files are of other clients or of several, and do not
exist for him. What is
about the whole house is refused, whatever he holds."""

AT_LEAST: Final[Mapping[str, int]] = {}
"""The answer for people whom a line leaves out: 403, say, for a kind of person that came later."""

SENT: Final[Mapping[tuple[str, str], Mapping[str, str]]] = {
    ("channel_server", "POST"): {"line": ""},
}
"""What is posted, where an empty form would not show who may."""

_TABLE: Final = """
# address               method anonymous encode administrative extended onlooker delegate manager stranger employer
# --- open to all
login                   GET    200       302    302            302      302      302      302     302      302
login                   POST   200       302    302            302      302      302      302     302      302
sign_in_code            GET    302       302    302            302      302      302      302     302      302
sign_in_code            POST   302       302    302            302      302      302      302     302      302
sign_in_passkey         POST   302       302    302            302      302      302      302     302      302
passkey_options         GET    200       200    200            200      200      200      200     200      200
identity_find           GET    200       302    302            302      302      302      302     302      302
identity_find           POST   422       302    302            302      302      302      302     302      302
identity_start          GET    404       302    302            302      302      302      302     302      302
identity_back           GET    302       302    302            302      302      302      302     302      302
set_language            POST   302       302    302            302      302      302      302     302      302
choose_password         GET    200       200    200            200      200      200      200     200      200
choose_password         POST   200       200    200            200      200      200      200     200      200
livez                   GET    200       200    200            200      200      200      200     200      200
readyz                  GET    200       200    200            200      200      200      200     200      200
# --- oneself
home                    GET    302       200    200            200      302      302      200     200      200
logout                  POST   302       302    302            302      302      302      302     302      302
profile                 GET    302       200    200            200      200      200      200     200      200
profile_details         POST   302       422    422            422      422      422      422     422      422
profile_notices         POST   302       422    422            422      422      422      422     422      404
profile_digest          POST   302       302    302            302      302      302      302     302      404
profile_password        POST   302       422    422            422      422      422      422     422      422
profile_sessions        POST   302       302    302            302      302      302      302     302      302
session_end             POST   302       404    404            404      404      404      302     404      404
identity_link           POST   302       302    302            302      302      302      302     404      302
identity_unlink         GET    302       404    404            404      404      404      200     404      404
identity_unlink         POST   302       404    404            404      404      404      302     404      404
organisation            POST   302       404    404            404      404      404      404     404      404
confirm                 GET    302       200    200            200      200      200      200     200      200
confirm                 POST   302       422    422            422      422      422      422     422      422
# --- the own second factor
security                GET    302       200    200            200      200      200      200     200      200
totp                    GET    302       302    302            302      302      302      302     302      302
totp                    POST   302       302    302            302      302      302      302     302      302
totp_qr                 GET    302       302    302            302      302      302      302     302      302
totp_remove             POST   302       302    302            302      302      302      302     302      302
passkey_new_options     POST   302       200    200            200      200      200      200     200      200
passkey_add             POST   302       422    422            422      422      422      422     422      422
passkey_remove          POST   302       404    404            404      404      404      404     404      404
recovery_codes          POST   302       200    200            200      200      200      200     200      200
# --- people
team                    GET    302       200    200            200      200      200      200     200      200
team                    POST   302       403    403            200      200      200      200     200      403
users_export            POST   302       403    403            200      200      200      200     200      403
member_new              GET    302       403    403            200      403      200      200     200      403
member_new              POST   302       403    403            422      403      422      422     422      403
member                  GET    302       403    403            200      200      200      200     404      403
member_edit             GET    302       403    403            200      403      200      200     404      403
member_edit             POST   302       403    403            422      403      422      422     404      403
member_grants           POST   302       403    403            302      403      302      302     404      403
member_grant            GET    302       403    403            200      403      200      200     404      403
member_grant            POST   302       403    403            200      403      200      200     404      403
member_link             POST   302       403    403            200      403      200      200     404      403
member_appoint          POST   302       403    403            403      403      403      302     404      403
member_dismiss          POST   302       403    403            403      403      403      302     404      403
member_block            POST   302       403    403            302      403      302      302     404      403
member_unblock          POST   302       403    403            302      403      302      302     404      403
member_reset            GET    302       403    403            200      403      200      200     404      403
member_reset            POST   302       403    403            302      403      302      302     404      403
member_delete           GET    302       403    403            200      403      200      200     404      403
member_delete           POST   302       403    403            302      403      302      302     404      403
client_person_new       GET    302       403    403            200      403      403      200     404      403
client_person_new       POST   302       403    403            422      403      403      422     404      403
# --- identity providers
providers               GET    302       403    403            403      403      403      200     200      403
provider_new            GET    302       403    403            403      403      403      200     200      403
provider_new            POST   302       403    403            403      403      403      422     422      403
provider                GET    302       403    403            403      403      403      200     404      403
provider_edit           GET    302       403    403            403      403      403      200     404      403
provider_edit           POST   302       403    403            403      403      403      422     404      403
provider_test           POST   302       403    403            403      403      403      200     404      403
provider_on             POST   302       403    403            403      403      403      302     404      403
provider_off            GET    302       403    403            403      403      403      200     404      403
provider_off            POST   302       403    403            403      403      403      302     404      403
# --- journal
journal                 GET    302       403    403            200      403      403      200     200      403
journal_export          POST   302       403    403            200      403      403      200     200      403
# --- clients and mandates
employer                GET    302       200    200            200      403      403      200     404      302
employers               GET    302       200    200            200      403      403      200     200      200
employers_export        POST   302       200    200            200      403      403      200     200      200
mandates_export         POST   302       200    200            200      403      403      200     200      200
employer_add            GET    302       403    403            200      403      403      200     200      403
employer_add            POST   302       403    403            422      403      403      422     422      403
mandate_propose         GET    302       403    403            200      403      403      200     404      200
mandate_propose         POST   302       403    403            422      403      403      422     404      422
mandates                GET    302       200    200            200      403      403      200     200      200
mandate                 GET    302       200    200            200      403      403      200     404      200
mandate_edit            GET    302       403    403            302      403      403      302     404      302
mandate_edit            POST   302       403    403            302      403      403      302     404      302
mandate_finalise        POST   302       403    403            302      403      403      302     404      302
mandate_validate        POST   302       403    403            302      403      403      302     404      302
mandate_accept          POST   302       403    403            302      403      403      302     404      302
mandate_procuration     POST   302       403    403            422      403      403      422     404      422
mandate_refuse          POST   302       403    403            302      403      403      302     404      302
mandate_withdraw        POST   302       403    403            302      403      403      302     404      302
mandate_close           GET    302       403    403            200      403      403      200     404      200
mandate_close           POST   302       403    403            422      403      403      422     404      422
procuration             GET    302       403    403            200      403      403      200     404      404
# --- mandates from a file
mandate_imports         GET    302       403    403            200      403      403      200     200      403
mandate_imports         POST   302       403    403            422      403      403      422     422      403
mandate_import_template GET    302       403    403            200      403      403      200     200      403
mandate_import          GET    302       403    403            200      403      403      200     404      403
mandate_import_apply    POST   302       403    403            302      403      403      302     404      403
mandate_import_discard  POST   302       403    403            302      403      403      302     404      403
mandate_import_bad      GET    302       403    403            200      403      403      200     404      403
# --- workers and trainings from a file
register_imports        GET    302       200    200            200      403      403      200     200      200
register_imports        POST   302       422    422            422      403      403      422     422      422
register_import_template GET   302       200    200            200      403      403      200     200      200
register_import         GET    302       200    200            200      403      403      200     404      404
register_import_columns GET    302       302    302            302      403      403      302     404      404
register_import_columns POST   302       302    302            302      403      403      302     404      404
register_import_apply   POST   302       302    302            302      403      403      302     404      404
register_import_undo    POST   302       302    302            302      403      403      302     404      404
register_import_discard POST   302       302    302            302      403      403      302     404      404
register_import_bad     POST   302       200    200            200      403      403      200     404      404
# --- the search in the frame
search                  GET    302       200    200            200      403      403      200     200      200
search                  POST   302       302    302            302      403      403      302     302      302
# --- declarations
declarations_export     POST   302       200    200            200      403      403      200     200      200
to_correct_export       POST   302       200    200            200      403      403      200     200      200
to_correct              GET    302       200    200            200      403      403      200     200      200
problem                 GET    302       302    302            302      403      403      302     404      302
problem_correct         POST   302       403    302            302      403      403      302     404      302
problem_again           POST   302       403    302            302      403      403      302     404      302
problem_accept          POST   302       403    403            302      403      403      302     404      403
problem_assign          POST   302       403    302            302      403      403      302     404      403
problem_snooze          POST   302       403    403            302      403      403      302     404      403
problem_close           POST   302       403    403            302      403      403      302     404      403
problem_reopen          POST   302       403    403            302      403      403      302     404      403
problem_comment         POST   302       302    302            302      403      403      302     404      302
declarations            GET    302       200    200            200      403      403      200     200      200
declaration             GET    302       200    200            200      403      403      200     404      200
declaration_complete    POST   302       302    302            302      403      403      302     404      302
declaration_correct     POST   302       403    302            302      403      403      302     404      302
declaration_withdraw    POST   302       403    302            302      403      403      302     404      302
record                  GET    302       200    200            200      403      403      200     404      404
record_edit             GET    302       200    200            200      403      403      200     404      404
record_edit             POST   302       422    422            422      403      403      422     404      404
record_declare          POST   302       403    302            302      403      403      302     404      404
record_modify           POST   302       403    302            302      403      403      302     404      404
record_cancel           POST   302       403    302            302      403      403      302     404      404
course_new              GET    302       200    200            200      403      403      200     200      200
course_new              POST   302       200    200            200      403      403      200     200      422
course                  GET    302       200    200            200      403      403      200     404      404
course_ready            POST   302       302    302            302      403      403      302     404      404
training_template_remove POST  302       302    302            302      403      403      302     404      404
quarter_sign_off        POST   302       403    302            302      403      403      302     404      302
quarter_reopen          POST   302       403    302            302      403      403      302     404      404
# --- workers, contracts and rights
workers                 GET    302       200    200            200      403      403      200     404      200
workers_export          POST   302       200    200            200      403      403      200     404      200
worker_file             POST   302       403    200            200      403      403      200     404      200
employer_file           POST   302       403    200            200      403      403      200     404      200
worker_file_pdf         POST   302       403    200            200      403      403      200     404      200
employer_file_pdf       POST   302       403    200            200      403      403      200     404      200
employer_archive        POST   302       403    200            200      403      403      200     404      200
archive                 GET    302       403    403            200      403      403      200     200      403
archive_download        POST   302       403    403            200      403      403      200     200      403
worker_new              GET    302       200    200            200      403      403      200     404      200
worker_new              POST   302       422    422            422      403      403      422     404      422
worker                  GET    302       200    200            200      403      403      200     404      200
worker_change           GET    302       200    200            200      403      403      200     404      200
worker_change           POST   302       422    422            422      403      403      422     404      422
account                 GET    302       200    200            200      403      403      200     404      200
account_pdf             GET    302       200    200            200      403      403      200     404      200
letters                 GET    302       200    200            200      403      403      200     404      200
letters                 POST   302       302    302            302      403      403      302     404      302
letters_job             GET    302       200    200            200      403      403      200     404      404
letters_again           POST   302       302    302            302      403      403      302     404      404
letters_download        POST   302       200    200            200      403      403      200     404      404
corrections             GET    302       200    200            200      403      403      200     404      200
correction_new          GET    302       200    200            200      403      403      200     404      200
correction_new          POST   302       422    422            422      403      403      422     404      422
correction              GET    302       200    200            200      403      403      200     404      404
correction_accept       POST   302       422    422            422      403      403      422     404      404
correction_decline      POST   302       302    302            302      403      403      302     404      404
contract_new            GET    302       200    200            200      403      403      200     404      200
contract_new            POST   302       422    422            422      403      403      422     404      422
contract                GET    302       200    200            200      403      403      200     404      404
contract                POST   302       422    422            422      403      403      422     404      404
right                   GET    302       200    200            200      403      403      200     404      200
right                   POST   302       422    422            422      403      403      422     404      422
manual_right_take_back  POST   302       302    302            302      403      403      302     404      404
employer_size           GET    302       200    200            200      403      403      200     404      200
employer_size           POST   302       422    422            422      403      403      422     404      422
agreements              GET    302       200    200            200      403      403      200     200      200
agreement_add           GET    302       403    200            200      403      403      200     200      403
agreement_add           POST   302       403    422            422      403      403      422     422      403
agreement_remove        POST   302       403    302            302      403      403      302     404      403
# --- ready-made files and documents
relays                  GET    302       200    200            200      403      403      200     200      403
relays_export           POST   302       200    200            200      403      403      200     200      403
relay_new               GET    302       403    200            200      403      403      200     200      403
relay_new               POST   302       403    422            422      403      403      422     422      403
relay                   GET    302       200    200            200      403      403      200     404      403
relay_withdraw          POST   302       403    302            302      403      403      302     404      403
documents               GET    302       200    200            200      403      403      200     200      403
documents_export        POST   302       200    200            200      403      403      200     200      403
client_suggestions      GET    302       200    200            200      403      403      200     200      403
document_new            GET    302       403    200            200      403      403      200     200      403
document_new            POST   302       403    200            200      403      403      200     200      403
# --- what is due
due                     GET    302       200    200            200      403      403      200     200      200
due_send                GET    302       403    403            302      403      403      302     302      403
due_send                POST   302       403    403            302      403      403      302     302      403
# --- figures
client_figures          GET    302       200    200            200      403      403      200     404      200
client_figures_pdf      GET    302       200    200            200      403      403      200     404      200
calls                   GET    302       200    200            200      403      403      200     200      403
# --- batches
batches                 GET    302       200    200            200      403      403      200     200      403
batches_export          POST   302       200    200            200      403      403      200     200      403
batch                   GET    302       200    200            200      403      403      200     404      404
batch_leave             POST   302       403    403            302      403      403      302     404      403
batch_release           POST   302       403    403            302      403      403      302     404      403
batch_again             POST   302       403    403            302      403      403      302     404      403
batch_promote           POST   302       403    403            302      403      403      302     404      403
# --- channel and files
channel                 GET    302       200    200            200      403      403      200     200      403
channel_depart          POST   302       403    403            302      403      403      302     302      403
channel_collect         POST   302       403    403            302      403      403      302     302      403
channel_stale           POST   302       403    403            302      403      403      302     302      403
files                   GET    302       200    200            200      403      403      200     200      403
file_replay             POST   302       403    403            302      403      403      302     404      403
fields                  GET    302       200    200            200      403      403      200     200      200
sent_file               GET    302       403    200            200      403      403      200     404      404
inbound_file            GET    302       403    200            200      403      403      200     404      404
# --- the health of the channels
batch_by_hand           POST   302       403    403            302      403      403      302     404      403
channel_exclusive       POST   302       403    403            302      403      403      302     404      403
channel_health          GET    302       200    200            200      403      403      200     404      403
channel_pause           POST   302       403    403            302      403      403      302     404      403
channel_probe           POST   302       403    403            302      403      403      302     404      403
channel_resume          POST   302       403    403            302      403      403      302     404      403
channels_health         GET    302       200    200            200      403      403      200     200      403
departures              GET    302       403    403            200      403      403      200     404      403
departures              POST   302       403    403            302      403      403      302     404      403
health_collect          POST   302       403    403            302      403      403      302     404      403
health_depart           POST   302       403    403            302      403      403      302     404      403
host_key_accept         POST   302       403    403            302      403      403      302     404      403
host_key_keep           POST   302       403    403            302      403      403      302     404      403
host_key_propose        POST   302       403    403            302      403      403      302     404      403
metrics                 GET    404       404    404            404      404      404      404     404      404
# --- the set-up of the channel
channel_setup           GET    302       403    403            403      403      403      200     200      403
channel_setup           POST   302       403    403            403      403      403      422     422      403
channel_settings        GET    302       403    403            403      403      403      200     200      403
channel_settings        POST   302       403    403            403      403      403      422     422      403
channel_environment     GET    302       403    403            403      403      403      200     200      403
channel_environment     POST   302       403    403            403      403      403      422     422      403
channel_chaman          GET    302       403    403            403      403      403      200     200      403
channel_chaman          POST   302       403    403            403      403      403      302     302      403
channel_server          GET    302       403    403            403      403      403      200     200      403
channel_server          POST   302       403    403            403      403      403      422     422      403
channel_verify          GET    302       403    403            403      403      403      200     200      403
channel_verify          POST   302       403    403            403      403      403      200     200      403
channel_service         GET    302       403    403            403      403      403      200     200      403
channel_service         POST   302       403    403            403      403      403      302     302      403
channel_first_set       GET    302       403    403            403      403      403      200     200      403
channel_keys            GET    302       403    403            403      403      403      200     200      403
channel_ssh_key         GET    302       403    403            403      403      403      200     200      403
channel_ssh_key         POST   302       403    403            403      403      403      200     200      403
channel_certificate     GET    302       403    403            403      403      403      200     200      403
channel_certificate     POST   302       403    403            403      403      403      200     200      403
channel_rest            GET    302       403    403            403      403      403      200     200      403
channel_rest            POST   302       403    403            403      403      403      422     422      403
channel_rest_keep       POST   302       403    403            403      403      403      302     302      403
channel_key_file        GET    302       403    403            403      403      403      200     404      403
channel_key_switch      POST   302       403    403            403      403      403      302     404      403
channel_key_remove      GET    302       403    403            403      403      403      200     404      403
channel_key_remove      POST   302       403    403            403      403      403      302     404      403
"""


class Line(NamedTuple):
    """One address and method, and the status that each person gets."""

    name: str
    method: str
    expected: Mapping[str, int]


def _read(table: str) -> dict[tuple[str, str], Line]:
    lines = {}
    for text in table.split("\n"):
        if not text or text.startswith("#"):
            continue
        name, method, *statuses = text.split()
        given = dict(zip(WHO, map(int, statuses), strict=False))
        if (name, method) in lines or len(statuses) > len(WHO):
            raise ValueError(f"twice, or with too many answers: {text}")
        lines[name, method] = Line(name, method, {who: given.get(who, AT_LEAST.get(who, 0)) for who in WHO})
    return lines


MATRIX: Final = _read(_TABLE)
