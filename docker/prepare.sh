#!/bin/sh
# Before a version starts: the database is brought up to it, its static files lie where nginx reads them, and an empty
# market gets its administrator. Safe at every start.
set -eu

python manage.py migrate --noinput
# Files are named by their hash: those of the version before stay, for pages that are open in a browser.
mkdir -p "$DATA_DIR/static" "$DATA_DIR/media" "$DATA_DIR/private"
cp -R "${BUILT_STATIC:-/srv/built/static}/." "$DATA_DIR/static/"
python manage.py shell --no-imports -c '
from marketplace.operations.startup import FIRST_ADMINISTRATOR, make_administrator
if password := make_administrator():
    print(f"已建立管理员 {FIRST_ADMINISTRATOR}，口令 {password}；请登录后立即修改。")
'
