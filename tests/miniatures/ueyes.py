"""UEyes in small: a tall and a wide picture, the logs of two observers in two blocks."""

from pathlib import Path

from toy import make_photograph, write_image

HEADER = (
    "MEDIA_ID,MEDIA_NAME,CNT,TIME(2022/04/22 14:22:15.215),FPOGX,FPOGY,FPOGS,FPOGD,FPOGID,FPOGV,BPOGX,BPOGY,BPOGV,\n"
)
TALL, WIDE = (120, 60), (60, 120)  # height and width: on the screen, ten and sixteen times as large


def row(name: str, x: float, y: float, seconds: float = 0.2, *, is_valid: bool = True) -> str:
    """One fixation, in fractions of the screen."""
    return f"21,{name},14,0.22949,{x:.7f},{y:.7f},0.13086,{seconds:.5f},2,{int(is_valid)},0.5,0.5,0,\n"


def write(folder: Path) -> int:
    """Write the published layout; the number of fixations that are to be read from it."""
    write_image(folder / "images/tall.png", make_photograph(0, TALL))
    write_image(folder / "images/wide.jpg", make_photograph(1, WIDE))
    logs = folder / "eyetracker_logs"
    logs.mkdir()
    lost = row("tall.png", 0.5, 0.5, is_valid=False)
    beside = row("tall.png", 0.1, 0.5)
    first = [row("tall.png", 0.5, 0.5), lost, beside, row("tall.png", 0.5, 0.25, 0.35), row("wide.jpg", 0.5, 0.5)]
    (logs / "00_KH005_fixations.csv").write_text(HEADER + "".join(first))
    (logs / "01_hk000_fixations.csv").write_text(HEADER + row("wide.jpg", 0.25, 0.5))
    (logs / "c_kh000_fixations.csv").write_text(HEADER + row("calibration.png", 0.25, 0.5))
    types = "Image Name;Category;Block;Train/Test\r\nwide.jpg;web;1;Test\r\ntall.png;mobile;0;Train\r\n"
    (folder / "image_types.csv").write_text(types)
    return 4
