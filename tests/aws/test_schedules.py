"""AWS: the file's schedules in EventBridge's words."""

import pytest

from mlestate.aws.schedules import expression, restricts_both_days
from mlestate.config.base import Schedule


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("hourly", "cron(0 * * * ? *)"),
        ("daily", "cron(0 4 * * ? *)"),
        ("weekly", "cron(0 4 ? * MON *)"),
        ("0 4 * * 1", "cron(0 4 ? * MON *)"),
        ("*/15 * * * *", "cron(0/15 * * * ? *)"),
        ("0 4-6 1,15 * *", "cron(0 4,5,6 1,15 * ? *)"),
        ("0 */6 * */3 *", "cron(0 0/6 * 1/3 ? *)"),
        ("5-20/5 * * * *", "cron(5,10,15,20 * * * ? *)"),
        ("10/20 * * * *", "cron(10,30,50 * * * ? *)"),
        ("0 4 * * 0", "cron(0 4 ? * SUN *)"),
        ("0 4 * * 7", "cron(0 4 ? * SUN *)"),
        ("0 4 * * 5-7", "cron(0 4 ? * SUN,FRI,SAT *)"),
        ("0 4 * * */2", "cron(0 4 ? * SUN,TUE,THU,SAT *)"),
        ("0 4 * * 1-5", "cron(0 4 ? * MON,TUE,WED,THU,FRI *)"),
    ],
)
def test_a_schedule_means_the_same_in_the_words_of_eventbridge(written: str, wanted: str) -> None:
    assert expression(Schedule.parse(written)) == wanted


def test_days_of_the_month_and_of_the_week_are_not_both_said() -> None:
    both = Schedule.parse("0 4 1 * 1")
    assert restricts_both_days(both)
    with pytest.raises(ValueError, match="not both"):
        expression(both)
