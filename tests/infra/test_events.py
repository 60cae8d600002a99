"""The second step where a subscription has a topic already, or nothing can be laid down."""

from typing import Any

from tests.infra.bicep import HOME, Resource, deploy
from tests.infra.estate import EVENTS, INFRA, OTHER, events, of_kind

TOPIC = "Microsoft.EventGrid/systemTopics"
SUBSCRIPTION = f"{TOPIC}/eventSubscriptions"


def second_step(**given: Any) -> list[Resource]:
    return deploy(INFRA / "events.bicep", **{**EVENTS, **given})


def test_each_watched_subscription_has_a_topic_of_itself() -> None:
    sources = {
        one.id.split("/")[2]: one.body["properties"]
        for one in of_kind(second_step(mailServiceId=""), TOPIC)
    }

    assert sources == {
        where: {
            "source": f"/subscriptions/{where}",
            "topicType": "Microsoft.Resources.Subscriptions",
        }
        for where in (HOME, OTHER)
    }


def test_a_topic_that_is_there_is_used() -> None:
    resources = second_step(existingTopics={OTHER: {"group": "rg-hub", "topic": "hub"}})
    there = {one.id for one in resources if one.id.split("/")[2] == OTHER}
    topic = f"/subscriptions/{OTHER}/resourceGroups/rg-hub/providers/{TOPIC}/hub"

    assert {one.kind for one in resources if one.id in there} == {
        SUBSCRIPTION,
        "Microsoft.Insights/metricAlerts",
    }
    assert f"{topic}/eventSubscriptions/vmbackup-vms" in there


def test_what_cannot_be_delivered_is_laid_down_by_an_identity() -> None:
    one = of_kind(events(), SUBSCRIPTION)[0]
    letters = one.body["properties"]["deadLetterWithResourceIdentity"]

    assert letters["identity"] == {
        "type": "UserAssigned",
        "userAssignedIdentity": "/identities/events",
    }
    assert letters["deadLetterDestination"]["properties"]["blobContainerName"] == "deadletters"


def test_without_an_identity_nothing_is_laid_down_and_the_alarm_counts_what_is_dropped() -> None:
    resources = second_step(identityId="")
    one = of_kind(resources, SUBSCRIPTION)[0]
    alarm = of_kind(resources, "Microsoft.Insights/metricAlerts")[0]

    assert one.body["properties"]["deadLetterWithResourceIdentity"] is None
    assert alarm.body["properties"]["criteria"]["allOf"][0]["metricName"] == "DroppedEventCount"


def test_the_mail_service_tells_of_its_mails() -> None:
    [topic] = [one for one in of_kind(events(), TOPIC) if one.name == "vmbackup-mail"]
    [reports] = [one for one in of_kind(events(), SUBSCRIPTION) if one.id.startswith(topic.id)]
    properties = reports.body["properties"]

    assert topic.body["properties"]["source"] == EVENTS["mailServiceId"]
    assert properties["filter"] == {
        "includedEventTypes": ["Microsoft.Communication.EmailDeliveryReportReceived"]
    }
    assert properties["destination"]["properties"]["resourceId"] == EVENTS["reportsFunctionId"]
    assert properties["deadLetterWithResourceIdentity"]["deadLetterDestination"] is not None


def test_without_a_mail_service_of_ours_nothing_is_subscribed_for_mails() -> None:
    resources = second_step(mailServiceId="")

    assert {one.name for one in of_kind(resources, SUBSCRIPTION)} == {"vmbackup-vms"}
