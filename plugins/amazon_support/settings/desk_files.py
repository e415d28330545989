"""The shape of desk_files.yaml: where desks drop their exports, and what the columns in them mean."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from amazon_support.settings.base import Location, Problem, StrictModel
from amazon_support.settings.service_levels import Name, zone

DeskField = Literal[
    "row_id", "ticket_id", "order_id", "marketplace", "case_id", "buyer_alias",
    "action", "status", "agent", "stakeholder", "value", "actor", "at", "text",
]  # fmt: skip
DeskAction = Literal[
    "status", "assign", "hold", "solve", "no_response_needed", "unread", "note", "review_request", "ignore"
]
TICKET_FIELDS: tuple[DeskField, ...] = ("ticket_id", "order_id", "case_id", "buyer_alias")


class DeskFormat(StrictModel):
    """How one desk writes its exports.

    Attributes:
        columns: headings (in JSON: keys, of what lies deeper "outer.inner") by what they hold; of several the first
            that has something counts. Case, spaces, "_" and "-" do not.
        actions: what the words in the column of the action mean; `status` looks at the column of the status.
        statuses: what setting a status means.
        timezone: of times that name none. time_formats: of times that are not ISO 8601, as Python's strptime takes
            them; `epoch` is for seconds since 1970.
    """

    name: Name
    columns: dict[DeskField, tuple[str, ...]]
    actions: dict[str, DeskAction] = Field(default_factory=dict)
    statuses: dict[str, DeskAction] = Field(default_factory=dict)
    timezone: Annotated[str, AfterValidator(zone)] = "UTC"
    time_formats: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _says_what_when_and_of_which_ticket(self) -> "DeskFormat":
        if "at" not in self.columns:
            raise ValueError("expected a column for `at`: when it was done")
        if not set(TICKET_FIELDS) & set(self.columns):
            raise ValueError(f"expected a column for at least one of {', '.join(TICKET_FIELDS)}")
        if "status" in self.statuses.values():
            raise ValueError("a status cannot mean `status`; expected what is done by setting it, such as solve")
        return self


class DeskFolder(StrictModel):
    """A folder into which one desk of one account drops its exports. Exactly one of `url` and `connection`.

    Attributes:
        url: a path, or an object store with the Airflow connection to it, such as s3://aws_default@bucket/exports.
        connection: an Airflow connection whose extra has the `url` (or the `path`, as in type fs).
        format: name of a format. timezone: where it differs from the format's.
        marketplace: of rows that name none.
        after_reading: keep, delete, or move:<url> (of a folder).
    """

    account: str
    desk: Name
    url: str | None = None
    connection: str | None = None
    format: str
    timezone: Annotated[str, AfterValidator(zone)] | None = None
    marketplace: str | None = None
    after_reading: Annotated[str, Field(pattern=r"^(keep|delete|move:.+)$")] = "keep"

    @model_validator(mode="after")
    def _is_somewhere(self) -> "DeskFolder":
        if (self.url is None) == (self.connection is None):
            raise ValueError("expected either url or connection")
        return self

    @property
    def moves_to(self) -> str | None:
        """Where files that were read go; None: nowhere."""
        kind, _, place = self.after_reading.partition(":")
        return place if kind == "move" else None


class DeskFiles(StrictModel):
    """All folders, and the formats they may name."""

    formats: tuple[DeskFormat, ...] = ()
    folders: tuple[DeskFolder, ...] = ()

    def format_of(self, folder: DeskFolder) -> DeskFormat:
        """The format of the folder's files, with the folder's own time zone."""
        found = next(each for each in self.formats if each.name == folder.format)
        return found.model_copy(update={"timezone": folder.timezone or found.timezone})

    def folder(self, account: str, desk: str) -> DeskFolder:
        """The folder of that desk of the account.

        Raises: KeyError naming the folders there are.
        """
        for folder in self.folders:
            if (folder.account, folder.desk) == (account, desk):
                return folder
        known = ", ".join(f"{each.account} {each.desk}" for each in self.folders) or "none"
        raise KeyError(f"no desk {desk!r} of account {account!r} in desk_files.yaml; there are: {known}")

    def problems(self, accounts: set[str], countries: set[str]) -> Iterator[Problem]:
        """Names that nothing has, and folders that cannot be told apart."""
        known = {"account": accounts, "marketplace": countries, "format": {each.name for each in self.formats}}
        seen: set[tuple[str, str]] = set()
        for place, folder in enumerate(self.folders):
            where: Location = ("desk_files", "folders", place)
            for field, names in known.items():
                name = getattr(folder, field)
                if name is not None and name not in names:
                    yield (*where, field), f"unknown {field} {name}; known: {', '.join(sorted(names)) or 'none'}"
            if (folder.account, folder.desk) in seen:
                yield (*where, "desk"), f"account {folder.account} has desk {folder.desk} twice; expected another name"
            seen.add((folder.account, folder.desk))
