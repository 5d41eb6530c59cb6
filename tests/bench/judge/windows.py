"""Where people saw something unusual in NAB's real series: their labels, which the data do not carry.

From labels/combined_windows.json of https://github.com/numenta/NAB (MIT), to the minute, for the series
that ../shared/data/series/NAB holds. A series that is not here has none.
"""

from collections.abc import Mapping

WINDOWS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "realAWSCloudwatch/ec2_cpu_utilization_53ea38.csv": (
        ("2014-02-19 10:50", "2014-02-20 03:30"),
        ("2014-02-23 11:45", "2014-02-24 04:25"),
    ),
    "realAWSCloudwatch/ec2_cpu_utilization_825cc2.csv": (("2014-04-15 07:24", "2014-04-16 11:54"),),
    "realAWSCloudwatch/ec2_cpu_utilization_fe7f93.csv": (
        ("2014-02-17 00:37", "2014-02-17 11:47"),
        ("2014-02-21 18:27", "2014-02-22 05:37"),
        ("2014-02-23 09:42", "2014-02-23 20:52"),
    ),
    "realAWSCloudwatch/ec2_network_in_257a54.csv": (("2014-04-14 23:59", "2014-04-16 09:29"),),
    "realAWSCloudwatch/elb_request_count_8c0756.csv": (
        ("2014-04-12 09:04", "2014-04-13 01:44"),
        ("2014-04-22 11:14", "2014-04-23 03:54"),
    ),
    "realAWSCloudwatch/iio_us-east-1_i-a2eb1cd9_NetworkIn.csv": (
        ("2013-10-10 10:35", "2013-10-10 15:45"),
        ("2013-10-10 18:05", "2013-10-10 23:15"),
    ),
    "realAWSCloudwatch/rds_cpu_utilization_e47b3b.csv": (
        ("2014-04-12 22:32", "2014-04-13 15:12"),
        ("2014-04-18 15:07", "2014-04-19 07:47"),
    ),
    "realAdExchange/exchange-2_cpc_results.csv": (("2011-07-11 04:00", "2011-07-17 22:00"),),
    "realAdExchange/exchange-2_cpm_results.csv": (
        ("2011-07-24 14:00", "2011-07-27 22:00"),
        ("2011-08-09 00:00", "2011-08-12 09:00"),
    ),
    "realAdExchange/exchange-3_cpc_results.csv": (
        ("2011-07-13 09:15", "2011-07-15 11:15"),
        ("2011-07-19 09:15", "2011-07-21 11:15"),
        ("2011-08-12 07:15", "2011-08-14 13:15"),
    ),
    "realAdExchange/exchange-3_cpm_results.csv": (("2011-08-16 10:15", "2011-08-23 00:15"),),
    "realAdExchange/exchange-4_cpc_results.csv": (
        ("2011-07-15 06:15", "2011-07-17 12:15"),
        ("2011-08-01 07:15", "2011-08-03 15:15"),
        ("2011-08-22 05:15", "2011-08-24 11:15"),
    ),
    "realAdExchange/exchange-4_cpm_results.csv": (
        ("2011-07-15 13:15", "2011-07-17 05:15"),
        ("2011-07-31 11:15", "2011-08-02 05:15"),
        ("2011-08-22 12:15", "2011-08-24 04:15"),
        ("2011-08-27 17:15", "2011-08-29 09:15"),
    ),
}
