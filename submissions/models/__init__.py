"""What is declared: the register, files and documents, the declarations made from them, and the sets they travel in."""

from submissions.models.batch import Batch
from submissions.models.correction import CorrectionRequest
from submissions.models.course import Course, TrainingTemplate
from submissions.models.declaration import Anomaly, Declaration
from submissions.models.document import CareerDocument
from submissions.models.former import FormerDeclaration
from submissions.models.letters import BalanceLetters, LetterPart
from submissions.models.notice import Notice
from submissions.models.problem import Problem, Settlement
from submissions.models.register_import import ImportChunk, ImportFault, ImportPiece, RegisterImport
from submissions.models.relayed import PublishedSchema, RelayedFile, RelayedForm
from submissions.models.right import EmployerSize, ManualRight, SectorAgreement
from submissions.models.sign_off import SignOff
from submissions.models.training import TrainingRecord

__all__ = [
    "Anomaly",
    "BalanceLetters",
    "Batch",
    "CareerDocument",
    "CorrectionRequest",
    "Course",
    "Declaration",
    "EmployerSize",
    "FormerDeclaration",
    "ImportChunk",
    "ImportFault",
    "ImportPiece",
    "LetterPart",
    "ManualRight",
    "Notice",
    "Problem",
    "PublishedSchema",
    "RegisterImport",
    "RelayedFile",
    "RelayedForm",
    "SectorAgreement",
    "Settlement",
    "SignOff",
    "TrainingRecord",
    "TrainingTemplate",
]
