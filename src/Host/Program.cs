using OpenGradient.Engine.Host.Commands;

return await CommandLine.Run(args);
