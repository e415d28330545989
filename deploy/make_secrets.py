"""Writes what docker-compose.yaml takes for secrets into files: those that are not there yet, nothing else.

Needs only Python's standard library. Usage: python3 deploy/make_secrets.py [FOLDER]
"""

import base64
import json
import os
import secrets
import sys
from pathlib import Path


def contents() -> dict[str, str]:
    """A new value for each secret."""
    return {
        "postgres_password": secrets.token_urlsafe(24),
        "airflow_database": f"postgresql+psycopg2://airflow:{secrets.token_urlsafe(24)}@postgres/airflow",
        "warehouse": f"postgresql://support:{secrets.token_urlsafe(24)}@postgres/warehouse",
        "warehouse_workers": f"postgresql://workers:{secrets.token_urlsafe(24)}@postgres/warehouse",
        "warehouse_pages": f"postgresql://pages:{secrets.token_urlsafe(24)}@postgres/warehouse",
        "airflow_passwords": json.dumps({"admin": secrets.token_urlsafe(12)}),
        "fernet_key": base64.urlsafe_b64encode(os.urandom(32)).decode(),
        "api_secret": secrets.token_hex(32),
        "jwt_secret": secrets.token_hex(32),
        "broker": f"redis://:{secrets.token_urlsafe(24)}@broker:6379/0",
    }


def main(folder: Path) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    for name, content in contents().items():
        try:
            with (folder / name).open("x") as file:
                file.write(content)
        except FileExistsError:
            print(f"{folder / name}: there, not touched")
        else:
            # Containers read it as users of their own, nobody else comes into the folder.
            (folder / name).chmod(0o444)
            print(f"{folder / name}: written")
    print(f"Keep a copy of {folder / 'fernet_key'}: without it archived mail and connections cannot be read again.")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "secrets"))
