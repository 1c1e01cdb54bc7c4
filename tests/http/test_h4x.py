import subprocess, sys, re
from pathlib import Path
import pytest
from tests.http.test_schema_fuzz import *
from tests.http.test_schema_fuzz import CHECKS
@pytest.mark.parametrize("email", [SUBSCRIBER, ADMIN])
def test_mine(furnished_office, tmp_path, email):
    user = User.objects.get(email=email)
    command=[str(Path(sys.executable).parent/"st"),"run",f"{furnished_office}/api/schema","--phases=coverage,fuzzing",f"--checks={CHECKS}","--max-examples=3","--workers=1","--seed=1","--request-timeout=30","--continue-on-failure","--generation-database=none","--include-path-regex=(profile|nominees|bank-acc|consents|erasure|export|return-foreman|resend|reset-link)",f"--header=Authorization: Bearer {access_token_for(user, session_of(user))}"]
    r=subprocess.run(command,capture_output=True,text=True,cwd=tmp_path,timeout=170)
    print(r.stdout[-6000:])
    assert r.returncode==0
