"""retention request: a person's request, from receipt to answer."""

import typer

from retention.cli.request.answer import (
    approve_,
    carry_out_,
    close_,
    decide_,
    extend_,
    letter_,
    send_back_,
    withdraw_,
)
from retention.cli.request.copies import propose_, render_, review_
from retention.cli.request.correct import correct_, corrections_
from retention.cli.request.hand_over import deliver_, package_
from retention.cli.request.look import list_, show_
from retention.cli.request.receive import describe_, file_, identify_, leave_out_, match_
from retention.cli.request.report import report_
from retention.cli.request.rulebook import rules_
from retention.cli.shared import EPILOG

app = typer.Typer(help="A person's request: from receipt to answer.", no_args_is_help=True)
app.command("file", epilog=EPILOG)(file_)
app.command("describe", epilog=EPILOG)(describe_)
app.command("identify", epilog=EPILOG)(identify_)
app.command("match", epilog=EPILOG)(match_)
app.command("leave-out", epilog=EPILOG)(leave_out_)
app.command("propose", epilog=EPILOG)(propose_)
app.command("review", epilog=EPILOG)(review_)
app.command("render", epilog=EPILOG)(render_)
app.command("report", epilog=EPILOG)(report_)
app.command("correct", epilog=EPILOG)(correct_)
app.command("corrections", epilog=EPILOG)(corrections_)
app.command("decide", epilog=EPILOG)(decide_)
app.command("approve", epilog=EPILOG)(approve_)
app.command("send-back", epilog=EPILOG)(send_back_)
app.command("carry-out", epilog=EPILOG)(carry_out_)
app.command("extend", epilog=EPILOG)(extend_)
app.command("letter", epilog=EPILOG)(letter_)
app.command("package", epilog=EPILOG)(package_)
app.command("deliver", epilog=EPILOG)(deliver_)
app.command("close", epilog=EPILOG)(close_)
app.command("rules", epilog=EPILOG)(rules_)
app.command("withdraw", epilog=EPILOG)(withdraw_)
app.command("list", epilog=EPILOG)(list_)
app.command("show", epilog=EPILOG)(show_)
