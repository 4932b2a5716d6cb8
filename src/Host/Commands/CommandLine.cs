using System.CommandLine;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Host.Client;
using OpenGradient.Engine.Hosting.Configuration;

namespace OpenGradient.Engine.Host.Commands;

/// <summary>The command line of <c>og</c>: every failure ends here, as one clear message and an exit code.</summary>
internal static class CommandLine
{
    public static async Task<int> Run(string[] args)
    {
        var root = new RootCommand("og: inference whose every answer can be proven afterwards")
        {
            ServeCommand.Create(),
            InferCommand.Create(),
            SubmitCommand.Create(),
            VerifyCommand.Create(),
            ReceiptCommand.Create(),
            DemoCommand.Create(),
            DoctorCommand.Create(),
            InitCommand.Create(),
            ConfigCommand.Create(),
        };
        try
        {
            return await root.Parse(args).InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
        }
        catch (ConfigurationException e)
        {
            foreach (var error in e.Errors) Console.Error.WriteLine($"error: {error}");
            return ExitCodes.Usage;
        }
        catch (FormatException e)
        {
            return Fail(e.Message, ExitCodes.Usage);
        }
        catch (HostRefusedException e)
        {
            return Fail(e.Message, ExitCodes.Unavailable);
        }
        catch (HttpRequestException e)
        {
            return Fail($"the host cannot be reached: {e.Message}", ExitCodes.Unavailable);
        }
        catch (SealingException e)
        {
            return Fail(e.Message, ExitCodes.Failed);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Fail(e.Message, ExitCodes.Failed);
        }
        catch (OperationCanceledException)
        {
            return 130;
        }
    }

    private static int Fail(string message, int code)
    {
        Console.Error.WriteLine($"error: {message}");
        return code;
    }
}
