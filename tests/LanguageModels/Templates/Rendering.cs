using System.Text.Json;
using OpenGradient.Engine.LanguageModels.Templates;

namespace OpenGradient.Engine.LanguageModels.Tests.Templates;

/// <summary>Renders templates over messages written as JSON.</summary>
internal static class Rendering
{
    public static string Of(string template, string messages = "[]", string? tools = null, bool prompt = true, string variables = "{}")
    {
        using var document = JsonDocument.Parse(variables);
        return ChatTemplate.Parse(template).Render(new ChatTemplateInput
        {
            Messages = JsonElement.Parse(messages),
            Tools = tools is null ? null : JsonElement.Parse(tools),
            AddGenerationPrompt = prompt,
            BosToken = "<s>",
            EosToken = "</s>",
            Variables = document.RootElement.EnumerateObject().ToDictionary(each => each.Name, each => each.Value.Clone()),
            Now = new DateTimeOffset(2026, 3, 7, 9, 5, 1, TimeSpan.Zero),
        });
    }

    /// <summary>What an expression prints.</summary>
    public static string Print(string expression, string variables = "{}") => Of("{{ " + expression + " }}", variables: variables);

    public static string Refused(string template, string messages = "[]", string variables = "{}") =>
        Assert.Throws<ChatTemplateException>(() => Of(template, messages, variables: variables)).Message;
}
